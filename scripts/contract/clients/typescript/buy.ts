// Buys two tickets with the client that openapi-typescript makes of the OpenAPI document.
import createClient from "openapi-fetch";
import type { components, paths } from "./box_office.js";

type Reservation = components["schemas"]["ReservationResponse"];

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function given<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const event_id = variable("EVENT");
const office = createClient<paths>({
  baseUrl: variable("URL"),
  headers: { Authorization: `Bearer ${variable("SESSION")}` },
});

const event = given(await office.GET("/api/events/{event_id}", { params: { path: { event_id } } }));
const section = event.sections[0]!.name;
const held: Reservation = given(
  await office.POST("/api/reservations", {
    params: { header: { "Idempotency-Key": "typescript" } },
    body: { event_id, section, quantity: 2 },
  }),
);
const { reservation_id } = held;
const paid = given(
  await office.POST("/api/reservations/{reservation_id}/payment", {
    params: { path: { reservation_id } },
    body: { payment_method: { type: "card", token: "tok_visa" } },
  }),
);
if (paid.status !== "completed" || paid.tickets.length !== 2) throw new Error(JSON.stringify(paid));

const nowhere = "00000000-0000-0000-0000-000000000000";
const { error } = await office.GET("/api/reservations/{reservation_id}", {
  params: { path: { reservation_id: nowhere } },
});
if (error?.code !== "RESERVATION_NOT_FOUND") throw new Error(JSON.stringify(error));
console.log(`TypeScript: ${paid.tickets.length} tickets for ${event.name}`);
