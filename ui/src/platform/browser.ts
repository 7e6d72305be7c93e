// What the desktop shell does for a page, as a browser can do it.
import type { Commands, Request } from "./commands";
import { CommandFailure } from "./platform";

/** Asks a person for a path on the server's machine; `null` when they thought better of it. */
export type AskPath = (asked: { what: "folder" | "file" | "save"; suggested: string }) => Promise<string | null>;

type ShellCommand = "pick_paths" | "pick_save" | "save_file" | "open_link" | "crash_report";
type Shell = { [N in ShellCommand]: (request: Request<N>) => Commands[N]["response"] | Promise<Commands[N]["response"]> };

export function shellCommands(askPath: AskPath): Shell {
  return {
    pick_paths: async ({ folders }) => {
      const path = await askPath({ what: folders ? "folder" : "file", suggested: "" });
      return { paths: path ? [path] : [] };
    },
    pick_save: async ({ suggested }) => ({ path: await askPath({ what: "save", suggested }) }),
    save_file: ({ suggested, content, encoding }) => {
      download(suggested, encoding === "base64" ? bytesOf(content) : content);
      return { path: suggested };
    },
    open_link: ({ url }) => {
      if (!/^(https?|mailto):/i.test(url) || !URL.canParse(url)) {
        throw new CommandFailure({ code: "invalid_link", message: `${url} is no address of a page or a mailbox` });
      }
      window.open(url, "_blank", "noopener,noreferrer");
      return {};
    },
    // The server tells of its faults in its log.
    crash_report: () => ({ report: null }),
  };
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function download(name: string, content: BlobPart): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content]));
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
