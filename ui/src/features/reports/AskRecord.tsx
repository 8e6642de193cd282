import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { brought, client } from "@/api/client";
import type { components } from "@/api/schema";
import { useCommand } from "@/commands/useCommand";
import { CommandForm } from "@/components/CommandForm";
import { Field } from "@/components/Field";
import { Moment } from "@/components/Moment";
import { Panel } from "@/components/Panel";
import { QueryState } from "@/components/QueryState";
import { Author } from "@/session/Author";

type QuestionAnswered = components["schemas"]["QuestionAnswered"];

const SHOWN = 10;

const questions = (account: string) =>
  queryOptions({
    queryKey: ["account", account, "questions"],
    queryFn: ({ signal }) => brought(client.GET("/api/v1/accounts/{account}/questions", { params: { path: { account }, query: { limit: SHOWN } }, signal })),
  });

export interface AskRecordProps {
  readonly account: string;
}

/** Ask the record about trades, risk or models: every answer names the rows that it rests on. */
export function AskRecord({ account }: AskRecordProps) {
  const queries = useQueryClient();
  const asked = useQuery(questions(account));
  const [question, setQuestion] = useState("");
  const command = useCommand<QuestionAnswered>({
    form: `ask/${account}`,
    send: async (key, signal) => {
      const answer = await brought(
        client.POST("/api/v1/accounts/{account}/questions", { params: { path: { account }, header: { "Idempotency-Key": key } }, body: { question: question.trim() }, signal }),
        key,
      );
      await queries.invalidateQueries({ queryKey: ["account", account, "questions"] });
      return answer;
    },
    isRecorded: () => true,
  });
  return (
    <Panel title="Ask the record" stack>
      <CommandForm command={command} ready={question.trim() !== ""} action={`Ask about ${account}`} recorded="Answered below.">
        <Field label="Question" value={question} onValue={setQuestion} hint="in English, about trades, risk or models: for example, why was trade 12 entered" />
      </CommandForm>
      <QueryState query={asked} what="the questions">
        {(rows) => (
          <ol className="story">
            {rows.map((row) => (
              <li key={`${row.asked_at} ${row.question}`}>
                <strong>{row.question}</strong> <small><Author id={row.asked_by} />, <Moment at={row.asked_at} /></small>
                <p>{row.answer}</p>
                <small>{row.sources.length === 0 ? "It rests on no row." : `It rests on ${row.sources.map((source) => `${source.rows} of ${source.tables}`).join(", ")}.`}</small>
              </li>
            ))}
          </ol>
        )}
      </QueryState>
    </Panel>
  );
}
