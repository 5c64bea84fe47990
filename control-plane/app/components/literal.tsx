import { Fragment } from "react";

/** A path, or a name that is made like one, which may be divided between its segments. */
export function Path({ path }: { readonly path: string }) {
  return path.split("/").map((segment, index) => (
    <Fragment key={index}>
      {index > 0 && (
        <>
          /<wbr />
        </>
      )}
      <span className="wrap-anywhere">{segment}</span>
    </Fragment>
  ));
}

const LONGEST_IPV4 = 15;

/** An address in one line, unless it is long. */
export function Address({ ip }: { readonly ip: string | null }) {
  if (ip === null) return "—";
  const look = ip.length <= LONGEST_IPV4 ? "whitespace-nowrap" : "break-all";
  return <span className={`font-mono text-xs ${look}`}>{ip}</span>;
}
