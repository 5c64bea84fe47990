import type { FC } from "hono/jsx";
import { Layout } from "./layout.tsx";

/** For key holders: what the mail means, and what to do. `docs/for-key-holders.md` says the same at more length. */
export const HelpPage: FC<{ nonce: string }> = ({ nonce }) => (
  <Layout title="For key holders" nonce={nonce} isHelp>
    <div class="card">
      <h1>For key holders</h1>
      <p>
        Your organization gave you a RelayKey, which begins with <span class="mono">rk_proxy_</span>. It
        stands for a key that you never see. When it is used from a network it has not been used from, the
        call is stopped and you get a mail.
      </p>
      <h2>If it was you</h2>
      <ol>
        <li>Compare address, program and time with what you were doing.</li>
        <li>Open the page in the mail, choose “Yes, this was me”, and continue.</li>
        <li>If you are asked for a number, it is in the answer that the stopped call got.</li>
        <li>Send the call again. The address is remembered.</li>
      </ol>
      <h2>If it was not you</h2>
      <p>
        Choose “No, this wasn’t me”, then freeze the key. It is dead at once, everywhere. Your admins are told
        and can give you a new one. Nothing reached the vendor. That works as well when the link is too old to
        confirm anything.
      </p>
      <h2>Where your keys work</h2>
      <p>
        <a href="/networks">Ask for a link</a> to see the networks that your keys may be used from. You can
        stop trusting one there, and freeze a key that is not safe.
      </p>
      <h2>If you are not sure</h2>
      <p>
        Change nothing: the address stays locked. A new place often has a plain reason: a café, a phone’s
        hotspot, a VPN, a program on a server. If no reason fits, it was not you.
      </p>
      <h2>When no mail comes</h2>
      <p>
        Look into the spam folder. A mail is sent once for each new network, and only a few in an hour, so
        that nobody can flood your mailbox. Your admins can see what waits, and approve it.
      </p>
      <h2>What is never asked</h2>
      <p>
        No mail and no page of RelayKey asks for a key, a password or a payment. Mail scanners that open links
        change nothing: only the answer that you give on the page counts.
      </p>
    </div>
  </Layout>
);
