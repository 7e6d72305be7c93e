export type PickPathsRequest = { folders: boolean, };
