import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// jsdom lays nothing out and has no modal dialogs: open and close are all that tests need of them.
HTMLDialogElement.prototype.showModal ??= function showModal(this: HTMLDialogElement) {
  this.open = true;
};
HTMLDialogElement.prototype.close ??= function close(this: HTMLDialogElement) {
  this.open = false;
};

globalThis.scrollTo = () => undefined;

afterEach(() => {
  cleanup();
  sessionStorage.clear();
});

configure({ asyncUtilTimeout: 15_000 });
