import { useEffect, useState } from "react";

export type Theme = "system" | "light" | "dark";

const NAME = "aether.theme";
const ORDER: readonly Theme[] = ["system", "light", "dark"];

export function nextTheme(theme: Theme): Theme {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? "system";
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(() => {
    const kept = localStorage.getItem(NAME) as Theme | null;
    return kept && ORDER.includes(kept) ? kept : "system";
  });
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(NAME, theme);
  }, [theme]);
  return [theme, setTheme];
}
