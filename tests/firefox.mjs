/** A Firefox for tests. Puppeteer drives the one that is installed, by WebDriver BiDi. */

import { execFileSync } from "node:child_process";
import puppeteer from "puppeteer-core";

/** How often a tab is asked for, and how long to wait after each time, in milliseconds. */
const TRIES = 20;
const PAUSE_MS = 500;

/**
 * Starts the Firefox that `FIREFOX` names, or the one on the path. A busy machine may take minutes to start it.
 *
 * Firefox gives a new tab's process 100 ms to start before it says that there is "no such frame", so a tab is asked
 * for again where that is the answer.
 */
export async function launchFirefox() {
  const executablePath = process.env.FIREFOX ?? execFileSync("which", ["firefox-esr"], { encoding: "utf8" }).trim();
  const browser = await puppeteer.launch({ browser: "firefox", executablePath, timeout: 120_000 });
  const createContext = browser.createBrowserContext.bind(browser);
  browser.createBrowserContext = async (options) => {
    const context = await createContext(options);
    const newPage = context.newPage.bind(context);
    context.newPage = async (options) => {
      for (let tried = 1; ; tried++) {
        try {
          return await newPage(options);
        } catch (error) {
          if (tried === TRIES || !String(error).includes("no such frame")) throw error;
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        }
      }
    };
    return context;
  };
  return browser;
}
