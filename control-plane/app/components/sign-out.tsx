import { Form } from "@remix-run/react";

/** For pages without the frame that has one. */
export function SignOut() {
  return (
    <Form method="post" action="/sign-out">
      <button className="text-sm text-muted underline hover:text-ink">Sign out</button>
    </Form>
  );
}
