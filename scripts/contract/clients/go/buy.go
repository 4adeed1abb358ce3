// Command buy buys two tickets with the client that oapi-codegen makes of the OpenAPI document.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/google/uuid"

	"box-office/client/boxoffice"
)

func main() {
	if err := buy(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func buy(ctx context.Context) error {
	signed := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+os.Getenv("SESSION"))
		return nil
	}
	office, err := boxoffice.NewClientWithResponses(os.Getenv("URL"), boxoffice.WithRequestEditorFn(signed))
	if err != nil {
		return err
	}
	eventID, err := uuid.Parse(os.Getenv("EVENT"))
	if err != nil {
		return err
	}

	event, err := office.GetEventWithResponse(ctx, eventID, &boxoffice.GetEventParams{})
	if err != nil {
		return err
	}
	if event.JSON200 == nil {
		return fmt.Errorf("the event: %s: %s", event.Status(), event.Body)
	}
	key, section, quantity := "go", event.JSON200.Sections[0].Name, int32(2)
	held, err := office.CreateReservationWithResponse(ctx,
		&boxoffice.CreateReservationParams{IdempotencyKey: &key},
		boxoffice.CreateReservationRequest{EventId: eventID, Section: &section, Quantity: &quantity})
	if err != nil {
		return err
	}
	if held.JSON201 == nil {
		return fmt.Errorf("the reservation: %s: %s", held.Status(), held.Body)
	}
	card := boxoffice.PaymentMethodBody{Type: "card", Token: "tok_visa"}
	paid, err := office.PayReservationWithResponse(ctx, held.JSON201.ReservationId,
		&boxoffice.PayReservationParams{}, boxoffice.PayRequest{PaymentMethod: &card})
	if err != nil {
		return err
	}
	if paid.JSON200 == nil || paid.JSON200.Status != "completed" || len(paid.JSON200.Tickets) != 2 {
		return fmt.Errorf("the payment: %s: %s", paid.Status(), paid.Body)
	}

	nothing, err := office.GetReservationWithResponse(ctx, uuid.Nil)
	if err != nil {
		return err
	}
	if nothing.JSON404 == nil || string(nothing.JSON404.Code) != "RESERVATION_NOT_FOUND" {
		return fmt.Errorf("no reservation: %s: %s", nothing.Status(), nothing.Body)
	}
	fmt.Printf("Go: %d tickets for %s\n", len(paid.JSON200.Tickets), event.JSON200.Name)
	return nil
}
