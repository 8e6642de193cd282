import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

import { brought, client } from "@/api/client";
import { useCommand } from "@/commands/useCommand";
import { Button } from "@/components/Button";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Moment } from "@/components/Moment";
import { QueryState } from "@/components/QueryState";
import { Rows } from "@/components/Rows";
import { isConfirmed, TypedConfirmation } from "@/components/TypedConfirmation";
import { Guarded } from "@/session/Guarded";
import { Author } from "@/session/Author";

import { definitions, PLATFORM, values, versions } from "./queries";
import { asTyped, fromTyped, isDangerous, rangeText, type SettingSchema } from "./schema";
import { SettingInput } from "./SettingInput";

export interface SettingsFormProps {
  /** An account, or the platform. */
  readonly owner: string;
}

/** Every setting of an owner: generated from the one definition, changed together, with a diff. */
export function SettingsForm({ owner }: SettingsFormProps) {
  const schema = useQuery(definitions(owner));
  const now = useQuery(values(owner));
  return (
    <QueryState query={schema} what="the definitions">
      {(known) => (
        <QueryState query={now} what="the settings">
          {(found) => (
            <Editor
              owner={owner}
              version={found.version}
              known={known.properties as Readonly<Record<string, SettingSchema>>}
              inForce={found.values as Readonly<Record<string, unknown>>}
            />
          )}
        </QueryState>
      )}
    </QueryState>
  );
}

interface EditorProps {
  readonly owner: string;
  readonly version: number;
  readonly known: Readonly<Record<string, SettingSchema>>;
  readonly inForce: Readonly<Record<string, unknown>>;
}

function Editor({ owner, version, known, inForce }: EditorProps) {
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const [seen, setSeen] = useState(version);
  const [filter, setFilter] = useState("");
  const [reason, setReason] = useState("");
  const [word, setWord] = useState("");
  const history = useQuery(versions(owner));
  const changes = useMemo(() => changed(known, inForce, typed), [known, inForce, typed]);
  const wrong = changes.filter((one) => one.error !== undefined);
  const dangerous = changes.filter((one) => one.dangerous);
  const command = useCommand<{ version?: number; code?: string }>({
    form: `settings/${owner}`,
    send: async (key, signal) => {
      const body = {
        updates: Object.fromEntries(changes.map((one) => [one.name, one.value])) as never,
        reason: reason.trim(),
        based_on: seen,
        confirm: dangerous.length > 0,
      };
      const header = { "Idempotency-Key": key };
      return brought(
        owner === PLATFORM
          ? client.POST("/api/v1/settings", { params: { header }, body, signal })
          : client.POST("/api/v1/accounts/{account}/settings", { params: { path: { account: owner }, header }, body, signal }),
        key,
      );
    },
    isRecorded: (answer) => answer.code === "waiting" || (answer.version !== undefined && version >= answer.version),
  });
  // One's own change is seen: the next one is based on it.
  const own = command.step === "recorded" ? command.answer?.version : undefined;
  useEffect(() => {
    if (own === undefined) return;
    setSeen((now) => Math.max(now, own));
    setTyped({});
    setReason("");
    setWord("");
  }, [own]);
  const groups = grouped(known, filter);
  return (
    <>
      <div className="filters">
        <Field label="Find a setting" type="search" value={filter} onValue={setFilter} />
        <div className="stack">
          <p className="panel-note">Version {version} is in force.{version > seen ? ` It has changed since version ${seen}, which this form was opened at.` : ""}</p>
          {version > seen ? <Button onPress={() => setSeen(version)}>Go on from version {version}; what is typed stays</Button> : null}
        </div>
      </div>
      {groups.map(([section, names]) => (
        <section key={section} className="panel">
          <h2>{section[0]?.toUpperCase()}{section.slice(1)}</h2>
          <div className="settings">
            {names.map((name) => {
              const schema = known[name];
              if (!schema) return null;
              const change = changes.find((one) => one.name === name);
              return (
                <SettingInput
                  key={name}
                  name={name}
                  schema={schema}
                  value={typed[name] ?? asTyped(inForce[name])}
                  error={change?.error}
                  changed={change !== undefined}
                  range={rangeText(schema)}
                  onValue={(value) => setTyped({ ...typed, [name]: value })}
                />
              );
            })}
          </div>
        </section>
      ))}
      <section className={changes.length > 0 ? "panel stack change-bar" : "panel stack"} aria-label="Changes">
        <h2>{changes.length === 0 ? "No change yet" : `${changes.length} ${changes.length === 1 ? "change" : "changes"}`}</h2>
        {changes.length > 0 ? (
          <ul className="diff">
            {changes.map((one) => (
              <li key={one.name}>
                <code>{one.name}</code>: <del>{asTyped(inForce[one.name])}</del> → <ins>{typed[one.name]}</ins>
                {one.dangerous ? <strong className="warn"> ⚠ lets more be lost</strong> : null}
                {one.error ? <span className="error"> {one.error}</span> : null}
              </li>
            ))}
          </ul>
        ) : null}
        <Guarded right={owner === PLATFORM ? "platform.settings" : "account.settings"} account={owner === PLATFORM ? undefined : owner}>
          <CommandForm
            command={command}
            danger={dangerous.length > 0}
            action={`Change ${changes.length} of ${owner}`}
            recorded={command.answer?.code === "waiting" ? "It waits for another person: see Approvals." : `Version ${command.answer?.version ?? ""} is in force.`}
            ready={changes.length > 0 && wrong.length === 0 && reason.trim().length >= 3 && (dangerous.length === 0 || isConfirmed(owner, word))}
          >
            <Field label="Reason" value={reason} onValue={setReason} required />
            {dangerous.length > 0 ? <TypedConfirmation word={owner} why={`${dangerous.map((one) => one.name).join(", ")}: more can be lost.`} value={word} onValue={setWord} /> : null}
          </CommandForm>
        </Guarded>
      </section>
      <QueryState query={history} what="the versions">
        {(rows) => (
          <Rows
            caption="Versions"
            rows={rows}
            keyOf={(row) => String(row.version)}
            empty="The defaults are in force; nothing was changed."
            columns={[
              { name: "Version", number: true, cell: (row) => row.version },
              { name: "At", cell: (row) => <Moment at={row.at} /> },
              { name: "By", cell: (row) => <><Author id={row.author} />{row.approved_by ? <small> approved by <Author id={row.approved_by} /></small> : null}</> },
              { name: "Reason", cell: (row) => row.reason },
              { name: "Changes", cell: (row) => row.changes.map((one) => <div key={one.name}><code>{one.name}</code>: <del>{asTyped(one.before)}</del> → <ins>{asTyped(one.after)}</ins></div>) },
            ]}
          />
        )}
      </QueryState>
    </>
  );
}

interface Change {
  readonly name: string;
  readonly value: unknown;
  readonly dangerous: boolean;
  readonly error?: string | undefined;
}

function changed(
  known: EditorProps["known"], inForce: EditorProps["inForce"], typed: Readonly<Record<string, string>>,
): Change[] {
  const found: Change[] = [];
  for (const [name, text] of Object.entries(typed)) {
    const schema = known[name];
    if (!schema || text === asTyped(inForce[name])) continue;
    const read = fromTyped(schema, text);
    if ("error" in read) found.push({ name, value: undefined, dangerous: false, error: read.error });
    else found.push({ name, value: read.value, dangerous: isDangerous(schema, inForce[name], read.value) });
  }
  return found;
}

function grouped(known: EditorProps["known"], filter: string): [string, string[]][] {
  const sections = new Map<string, string[]>();
  for (const [name, schema] of Object.entries(known)) {
    if (filter && !`${name} ${schema.description}`.toLowerCase().includes(filter.toLowerCase())) continue;
    const section = name.split(".")[0] ?? name;
    sections.set(section, [...(sections.get(section) ?? []), name]);
  }
  return [...sections.entries()];
}
