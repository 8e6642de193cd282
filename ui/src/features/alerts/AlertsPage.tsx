import { useQuery } from "@tanstack/react-query";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { Page } from "@/app/Page";
import { CommandForm } from "@/components/CommandForm";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { useCommand } from "@/commands/useCommand";
import { ageText } from "@/format/time";
import { useNow } from "@/live/now";
import { Author } from "@/session/Author";
import { Guarded } from "@/session/Guarded";

import { OwnChannels } from "./OwnChannels";
import { notifications, notificationStatus } from "./queries";
import { QuietHours } from "./QuietHours";

type Notification = components["schemas"]["NotificationView"];

const RANK: Readonly<Record<string, number>> = { critical: 0, warning: 1, information: 2 };

/** What nobody has seen yet, the most urgent first; whether people are reached; one's own channels. */
export function AlertsPage() {
  const all = useQuery(notifications);
  return (
    <Page title="Alerts">
      <QueryState query={all} what="the notifications">
        {(page) => {
          const open = page.notifications.filter(isOpen).sort(byUrgency);
          return (
            <>
              <section className="cards wide" aria-label="Open">
                {open.length === 0 ? <p className="page-note">Nothing waits for anybody.</p> : null}
                {open.map((one) => (
                  <AlertCard key={one.notification_id} notification={one} />
                ))}
              </section>
              <Rows
                caption="Told before"
                rows={page.notifications.filter((one) => !isOpen(one))}
                keyOf={(row) => row.notification_id}
                empty="Nothing was told yet."
                columns={[
                  { name: "Since", cell: (row) => <Moment at={row.since} /> },
                  { name: "What", cell: (row) => <>{row.title} <small>{row.severity}</small></> },
                  { name: "Account", cell: (row) => row.scope },
                  { name: "Times", number: true, cell: (row) => row.occurrences },
                  { name: "Seen by", cell: (row) => (row.acknowledged_by ? <><Author id={row.acknowledged_by} /> <Moment at={row.acknowledged_at} /></> : "nobody") },
                  { name: "Ended", cell: (row) => ended(row) },
                  { name: "Messages", cell: (row) => <Messages notification={row} /> },
                ]}
              />
            </>
          );
        }}
      </QueryState>
      <Reach />
      <OwnChannels />
      <QuietHours />
    </Page>
  );
}

export interface AlertCardProps {
  readonly notification: Notification;
}

/** One alert: what, since when, what to do, and the button that says that somebody has seen it. */
export function AlertCard({ notification }: AlertCardProps) {
  const now = useNow();
  const all = useQuery(notifications);
  const seen = all.data?.notifications.some((one) => one.notification_id === notification.notification_id && one.acknowledged_at !== null) ?? false;
  const acknowledge = useCommand({
    form: `acknowledge/${notification.notification_id}`,
    send: (key, signal) =>
      brought(
        client.POST("/api/v1/notifications/{notification}/acknowledge", {
          params: { path: { notification: notification.notification_id }, header: { "Idempotency-Key": key } },
          body: {},
          signal,
        }),
        key,
      ),
    isRecorded: () => seen,
  });
  const heading = `alert-${notification.notification_id}`;
  return (
    <article className="card" aria-labelledby={heading}>
      <header className="card-head">
        <h2 id={heading}>{notification.title}</h2>
        <strong className={notification.severity === "critical" ? "badge badge-alarm" : "badge badge-warn"}>{notification.severity}</strong>
      </header>
      {notification.detail ? <p>{notification.detail}</p> : null}
      <dl className="facts">
        <div><dt>About</dt><dd>{notification.scope}</dd></div>
        <div><dt>Since</dt><dd><Moment at={notification.since} /> ({ageText(now - new Date(notification.since).getTime())})</dd></div>
        <div><dt>Times</dt><dd>{notification.occurrences}</dd></div>
        <div><dt>Messages</dt><dd><Messages notification={notification} /></dd></div>
        {notification.runbook ? <div><dt>What to do</dt><dd><Runbook path={notification.runbook} /></dd></div> : null}
      </dl>
      <Guarded right="notification.acknowledge">
        <CommandForm command={acknowledge} ready action="I have seen it" recorded="Acknowledged: nobody is reminded any more." />
      </Guarded>
    </article>
  );
}

/** A link for alerts that lead to a page elsewhere; else the page's place in the documentation. */
function Runbook({ path }: { readonly path: string }) {
  return /^https:\/\//.test(path) ? <a href={path} rel="noreferrer noopener" target="_blank">{path}</a> : <code>{path}</code>;
}

function Messages({ notification }: AlertCardProps) {
  const { sent, waiting, failed } = notification;
  if (sent + waiting + failed === 0) return <>none went out</>;
  return <>{sent} sent{waiting ? `, ${waiting} waiting` : ""}{failed ? <strong>, {failed} failed</strong> : null}</>;
}

/** Whether messages reach people at all, by the kind of channel. */
function Reach() {
  const status = useQuery(notificationStatus);
  return (
    <QueryState query={status} what="the state of the channels">
      {(found) => (
        <Rows
          caption="Whether people are reached"
          rows={found.kinds}
          keyOf={(row) => row.kind}
          empty="No kind of channel is known."
          alarm={(row) => row.failed > 0}
          columns={[
            { name: "Kind", cell: (row) => row.kind },
            { name: "Channels", number: true, cell: (row) => row.channels },
            { name: "Sent in a day", number: true, cell: (row) => row.sent },
            { name: "Failed in a day", number: true, cell: (row) => row.failed },
            { name: "Last failure", cell: (row) => row.last_failure },
            { name: "Not set up", cell: (row) => row.missing },
          ]}
        />
      )}
    </QueryState>
  );
}

function isOpen(one: Notification): boolean {
  return one.severity !== "information" && one.acknowledged_at === null && one.resolved_at === null;
}

function byUrgency(a: Notification, b: Notification): number {
  return (RANK[a.severity] ?? 3) - (RANK[b.severity] ?? 3) || b.since.localeCompare(a.since);
}

function ended(one: Notification): string {
  if (one.resolved_at !== null) return "it is over";
  return one.closed_because ?? "not yet";
}
