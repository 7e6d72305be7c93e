export type PickedPaths = { paths: Array<string>, };
