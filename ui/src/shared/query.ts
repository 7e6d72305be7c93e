// Questions to the host that are kept, asked again and shared between components.
import { QueryClient, createQuery } from "@tanstack/svelte-query";
import { call, type CommandFailure } from "../platform/platform";
import type { CommandName, Request, Response } from "../platform/commands";

/** The host is on this machine: no network state matters, and a failure is shown, not retried. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: "always",
      retry: false,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      staleTime: 1000,
    },
  },
});

export type Asked<N extends CommandName> = {
  request: Request<N>;
  /** Ask again after so many milliseconds. */
  every?: number | false;
  enabled?: boolean;
  /** Show the last answer while a changed question is on its way. */
  keep?: boolean;
  /** The answer never changes: it is asked for once. */
  fixed?: boolean;
};

/** Asks a command and follows what the question depends on. */
export function ask<N extends CommandName>(name: N, asked: () => Asked<N>) {
  return createQuery<Response<N>, CommandFailure>(
    () => {
      const { request, every, enabled, keep, fixed } = asked();
      return {
        queryKey: [name, request],
        queryFn: () => call(name, request),
        refetchInterval: every ?? false,
        enabled: enabled ?? true,
        ...(fixed ? { staleTime: Infinity } : {}),
        placeholderData: keep ? (before: Response<N> | undefined) => before : undefined,
      } as never;
    },
    () => queryClient,
  );
}

/** Takes an answer that came before anybody asked. */
export function known<N extends CommandName>(name: N, answer: Response<N>): void {
  queryClient.setQueryData([name, {}], answer);
}

/** Says that answers of these commands may have changed. */
export function outdated(...names: CommandName[]): void {
  for (const name of names) void queryClient.invalidateQueries({ queryKey: [name] });
}
