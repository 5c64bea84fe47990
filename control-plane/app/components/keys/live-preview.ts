import { useFetcher } from "@remix-run/react";
import { useCallback, useEffect, useRef } from "react";
import type { FormEvent } from "react";
import type { PolicyPreview } from "../../.server/policy-form.ts";
import type { ShownFailure } from "../failure.ts";

interface Answer {
  readonly preview?: PolicyPreview | null;
  readonly failure?: ShownFailure | undefined;
}

const QUIET_MS = 350;

/** Asks the page's own action, a moment after the last change of a form, what the form would make. */
export function useLivePreview(): {
  readonly answer: Answer | undefined;
  readonly onChange: (event: FormEvent<HTMLFormElement>) => void;
} {
  const fetcher = useFetcher<Answer>();
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const { submit } = fetcher;
  useEffect(
    () => () => {
      clearTimeout(timer.current);
    },
    [],
  );
  const onChange = useCallback(
    ({ currentTarget }: FormEvent<HTMLFormElement>) => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        const form = new FormData(currentTarget);
        form.set("intent", "preview");
        submit(form, { method: "post" });
      }, QUIET_MS);
    },
    [submit],
  );
  return { answer: fetcher.data, onChange };
}
