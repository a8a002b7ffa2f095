// Walks through the service, or its mock, with the generated client, and prints a line for each step.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"latchkey"
)

type facts map[string]any

func say(step string, more facts) {
	line := facts{"step": step}
	for name, value := range more {
		line[name] = value
	}
	text, err := json.Marshal(line)
	check(err)
	fmt.Println(string(text))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

// refusal returns the status of a refusal, and reads its body into target.
func refusal(err error, target any) int {
	var refused *latchkey.APIError
	if !errors.As(err, &refused) {
		log.Fatalf("no refusal: %v", err)
	}
	check(json.Unmarshal(must(json.Marshal(refused.Body)), target))
	return refused.Status
}

func connect(auth latchkey.Auth, headers map[string]string) *latchkey.Client {
	return latchkey.New(latchkey.Config{
		ServerURL: os.Getenv("LATCHKEY_URL"),
		Auth:      auth,
		Headers:   headers,
	})
}

// prefer asks the mock for a refusal by name. The service ignores this.
func prefer(status int, example string) map[string]string {
	return map[string]string{"Prefer": fmt.Sprintf("code=%d, example=%s", status, example)}
}

func provide(value string) func() string {
	return func() string { return value }
}

func main() {
	ctx := context.Background()
	username, password := os.Getenv("LATCHKEY_USERNAME"), os.Getenv("LATCHKEY_PASSWORD")
	anonymous := connect(latchkey.Auth{}, nil)

	token := must(anonymous.ObtainAuthToken(ctx, latchkey.TokenCredentials{Username: username, Password: password})).Token
	tokenAuth := latchkey.Auth{APIKey: map[string]func() string{"tokenAuth": provide("Token " + token)}}
	byToken := connect(tokenAuth, nil)
	say("get token", facts{"username": must(byToken.RetrieveMe(ctx)).Username})

	pair := must(anonymous.Login(ctx, latchkey.Credentials{Username: username, Password: password}))
	byJwt := connect(latchkey.Auth{Bearer: provide(pair.Access)}, nil)
	say("log in", facts{"username": must(byJwt.RetrieveMe(ctx)).Username})

	renewed := must(anonymous.RefreshToken(ctx, latchkey.RefreshRequest{Refresh: pair.Refresh}))
	refresh := pair.Refresh
	if renewed.Refresh != nil {
		refresh = *renewed.Refresh
	}
	byJwt = connect(latchkey.Auth{Bearer: provide(renewed.Access)}, nil)
	say("refresh", facts{"username": must(byJwt.RetrieveMe(ctx)).Username})

	pages, products, size := 0, 0, int64(2)
	for page, err := range byJwt.ListProductsPages(ctx, &latchkey.ListProductsParams{PageSize: &size}) {
		check(err)
		pages++
		products += len(page.Results)
	}
	say("walk", facts{"pages": pages, "products": products})

	stock := int64(12)
	product := must(byToken.CreateProduct(ctx, latchkey.ProductInput{Name: "Oak chair", Price: "49.90", Stock: &stock}))
	say("create", facts{"name": product.Name, "price": product.Price})

	var invalid latchkey.ProductErrors
	_, err := connect(tokenAuth, prefer(400, "price_not_a_number")).
		CreateProduct(ctx, latchkey.ProductInput{Name: "Oak chair", Price: "free"})
	status := refusal(err, &invalid)
	say("get a typed error", facts{"status": status, "price": invalid.Price})

	must(anonymous.BlacklistToken(ctx, latchkey.BlacklistRequest{Refresh: refresh}))
	say("log out", nil)

	var refused latchkey.ErrorDetail
	_, err = connect(latchkey.Auth{}, prefer(401, "token_blacklisted")).
		RefreshToken(ctx, latchkey.RefreshRequest{Refresh: refresh})
	status = refusal(err, &refused)
	say("be refused a refresh", facts{"status": status, "code": refused.Code, "detail": refused.Detail})

	check(byToken.DestroyAuthToken(ctx))
	say("end the token", nil)

	var stranger latchkey.ErrorDetail
	_, err = connect(tokenAuth, prefer(401, "token_unknown")).RetrieveMe(ctx)
	status = refusal(err, &stranger)
	say("be refused by the token", facts{"status": status, "detail": stranger.Detail})
}
