export type PickedPath = { path: string | null, };
