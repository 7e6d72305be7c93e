// Which of the dialogs that every view has is open.
class Dialogs {
  palette = $state(false);
  shortcuts = $state(false);
}

export const dialogs = new Dialogs();
