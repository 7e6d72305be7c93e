// A fault inside the host that a person is to know of.
import { on } from "../../platform/platform";

class Panic {
  open = $state(false);
  message = $state("");

  follow(): () => void {
    return on("panic", ({ message }) => {
      this.message = message;
      this.open = true;
    });
  }
}

export const panic = new Panic();
