export type PickSaveRequest = { suggested: string, };
