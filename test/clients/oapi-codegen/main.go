// Walks through the service, or its mock, with the generated client, and prints a line for each step.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"

	"program/latchkey"
)

type facts map[string]any

func say(step string, more facts) {
	line := facts{"step": step}
	for name, value := range more {
		line[name] = value
	}
	fmt.Println(string(must(json.Marshal(line))))
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// got returns the answer that was hoped for, which is nil where it was another one.
func got[T any](answer *T, status string) T {
	if answer == nil {
		log.Fatalf("the answer is %s", status)
	}
	return *answer
}

func connect() *latchkey.ClientWithResponses {
	return must(latchkey.NewClientWithResponses(os.Getenv("LATCHKEY_URL")))
}

// with sets a header of the request.
func with(name, value string) latchkey.RequestEditorFn {
	return func(_ context.Context, request *http.Request) error {
		request.Header.Set(name, value)
		return nil
	}
}

// prefer asks the mock for a refusal by name. The service ignores this.
func prefer(status int, example string) latchkey.RequestEditorFn {
	return with("Prefer", fmt.Sprintf("code=%d, example=%s", status, example))
}

func username(client *latchkey.ClientWithResponses, credentials latchkey.RequestEditorFn) string {
	answer := must(client.RetrieveMeWithResponse(context.Background(), credentials))
	return got(answer.JSON200, answer.Status()).Username
}

func walk(client *latchkey.ClientWithResponses, credentials latchkey.RequestEditorFn) (pages, products int) {
	size := 2
	params := &latchkey.ListProductsParams{PageSize: &size}
	for {
		answer := must(client.ListProductsWithResponse(context.Background(), params, credentials))
		page := got(answer.JSON200, answer.Status())
		pages++
		products += len(page.Results)
		if page.Next == nil {
			return
		}
		cursor := must(url.Parse(*page.Next)).Query().Get("cursor")
		params.Cursor = &cursor
	}
}

func main() {
	ctx := context.Background()
	name, password := os.Getenv("LATCHKEY_USERNAME"), os.Getenv("LATCHKEY_PASSWORD")
	client := connect()

	issued := must(client.ObtainAuthTokenWithResponse(ctx, latchkey.TokenCredentials{Username: name, Password: password}))
	byToken := with("Authorization", "Token "+got(issued.JSON200, issued.Status()).Token)
	say("get token", facts{"username": username(client, byToken)})

	login := must(client.LoginWithResponse(ctx, latchkey.Credentials{Username: name, Password: password}))
	pair := got(login.JSON200, login.Status())
	say("log in", facts{"username": username(client, with("Authorization", "Bearer "+pair.Access))})

	renewal := must(client.RefreshTokenWithResponse(ctx, latchkey.RefreshRequest{Refresh: pair.Refresh}))
	renewed := got(renewal.JSON200, renewal.Status())
	refresh := pair.Refresh
	if renewed.Refresh != nil {
		refresh = *renewed.Refresh
	}
	byJwt := with("Authorization", "Bearer "+renewed.Access)
	say("refresh", facts{"username": username(client, byJwt)})

	pages, products := walk(client, byJwt)
	say("walk", facts{"pages": pages, "products": products})

	stock := int32(12)
	created := must(client.CreateProductWithResponse(ctx, nil,
		latchkey.ProductInput{Name: "Oak chair", Price: "49.90", Stock: &stock}, byToken))
	product := got(created.JSON201, created.Status())
	say("create", facts{"name": product.Name, "price": product.Price})

	invalid := must(client.CreateProductWithResponse(ctx, nil,
		latchkey.ProductInput{Name: "Oak chair", Price: "free"}, byToken, prefer(400, "price_not_a_number")))
	say("get a typed error", facts{"status": invalid.StatusCode(), "price": got(invalid.JSON400, invalid.Status()).Price})

	ended := must(client.BlacklistTokenWithResponse(ctx, latchkey.BlacklistRequest{Refresh: refresh}))
	got(ended.JSON200, ended.Status())
	say("log out", nil)

	again := must(client.RefreshTokenWithResponse(ctx, latchkey.RefreshRequest{Refresh: refresh}, prefer(401, "token_blacklisted")))
	refused := got(again.JSON401, again.Status())
	say("be refused a refresh", facts{"status": again.StatusCode(), "code": refused.Code, "detail": refused.Detail})

	destroyed := must(client.DestroyAuthTokenWithResponse(ctx, byToken))
	if destroyed.StatusCode() != http.StatusNoContent {
		log.Fatal(destroyed.Status())
	}
	say("end the token", nil)

	stranger := must(client.RetrieveMeWithResponse(ctx, byToken, prefer(401, "token_unknown")))
	say("be refused by the token", facts{"status": stranger.StatusCode(), "detail": got(stranger.JSON401, stranger.Status()).Detail})
}
