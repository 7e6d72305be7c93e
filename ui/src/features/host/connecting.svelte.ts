// Whether the dialog that connects an agent is open; any view may open it.
class Connecting {
  open = $state(false);

  show(): void {
    this.open = true;
  }
}

export const connecting = new Connecting();
