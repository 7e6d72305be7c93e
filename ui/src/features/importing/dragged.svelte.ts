// Files that are held over the window. The shell tells of them: the page of a window hears nothing of a drag itself.
import { on } from "../../platform/platform";

class Dragged {
  /** How many; none when they have left it or were dropped. */
  files = $state(0);

  follow(): () => void {
    return on("dragged", ({ files }) => (this.files = files));
  }
}

export const dragged = new Dragged();
