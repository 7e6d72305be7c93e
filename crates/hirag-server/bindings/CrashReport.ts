export type CrashReport = { report: string | null, };
