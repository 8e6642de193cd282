/** Development only: every shared component in its states, beside what a visual builder may place. */

import "@/app/theme.css";

import { createRoot } from "react-dom/client";

import { Around } from "./around";
import { REGISTRY } from "./registry";
import { STORIES } from "./stories";

function Gallery() {
  return (
    <main>
      <h1>Gallery of components</h1>
      {STORIES.map((story) => (
        <section key={story.component} className="panel" aria-labelledby={`story-${story.component}`}>
          <h2 id={`story-${story.component}`}>{story.component}</h2>
          {Object.entries(story.states).map(([state, shown]) => (
            <section key={state} aria-label={`${story.component}: ${state}`}>
              <h3>{state}</h3>
              <Around>{shown}</Around>
            </section>
          ))}
        </section>
      ))}
      <section className="panel" aria-labelledby="registry">
        <h2 id="registry">What a visual builder may place</h2>
        <ul>
          {REGISTRY.map((one) => (
            <li key={one.name}>
              <code>{one.module}</code> {one.name}: {Object.keys(one.inputs).join(", ")}
            </li>
          ))}
        </ul>
      </section>
    </main>
  );
}

const root = document.getElementById("root");
if (root) createRoot(root).render(<Gallery />);
