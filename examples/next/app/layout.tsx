import { IngleProvider } from "ingle/react";
import type { ReactNode } from "react";
import { Privacy, Shelf } from "./elements";

export const metadata = { title: "Shop", icons: "data:," };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <IngleProvider src="/recommender/">
          {children}
          <Shelf />
          <Privacy />
        </IngleProvider>
      </body>
    </html>
  );
}
