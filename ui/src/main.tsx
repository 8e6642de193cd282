import "./app/theme.css";

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { router } from "./app/router";
import { LiveData } from "./live/LiveData";
import { SessionGate } from "./session/session";

const queries = new QueryClient({
  defaultOptions: {
    // What changes is told by the stream; nothing is asked for again by a clock.
    queries: { staleTime: Infinity, retry: 2, refetchOnWindowFocus: false, refetchOnReconnect: false },
  },
});

const root = document.getElementById("root");
if (!root) throw new Error("the page has no root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <SessionGate>
        <LiveData>
          <RouterProvider router={router} />
        </LiveData>
      </SessionGate>
    </QueryClientProvider>
  </StrictMode>,
);
