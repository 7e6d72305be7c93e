// The sections of the settings, and the words that the command palette finds them by.
export const settingTabs = [
  { id: "provider", label: "Provider and model", words: ["embedding", "endpoint", "re-embed", "cache"] },
  { id: "retrieval", label: "Retrieval", words: ["weights", "budget", "shares", "threshold"] },
  { id: "answers", label: "Answers", words: ["ask", "chat", "llm", "ollama", "model"] },
  { id: "levels", label: "Levels", words: ["sizes", "lifetimes", "promotion", "clean-up"] },
  { id: "storage", label: "Storage", words: ["backup", "restore", "export", "limits"] },
  { id: "tokens", label: "API tokens", words: ["keyring", "secret", "key"] },
  { id: "server", label: "Server", words: ["http", "port", "browser", "link", "address", "tls"] },
  { id: "agents", label: "Agents", words: ["mcp", "claude", "cursor", "vs code", "connect"] },
  { id: "resilience", label: "Resilience", words: ["breaker", "limiter"] },
  { id: "appearance", label: "Appearance", words: ["theme", "dark", "light"] },
] as const;

export type SettingTab = (typeof settingTabs)[number]["id"];
