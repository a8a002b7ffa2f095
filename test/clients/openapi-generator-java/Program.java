import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latchkey.ApiClient;
import latchkey.ApiException;
import latchkey.JSON;
import latchkey.api.AccountsApi;
import latchkey.api.JsonWebTokensApi;
import latchkey.api.ProductsApi;
import latchkey.api.TokensApi;
import latchkey.model.BlacklistRequest;
import latchkey.model.Credentials;
import latchkey.model.ErrorDetail;
import latchkey.model.Product;
import latchkey.model.ProductErrors;
import latchkey.model.ProductInput;
import latchkey.model.ProductPage;
import latchkey.model.RefreshRequest;
import latchkey.model.RefreshedTokens;
import latchkey.model.TokenCredentials;
import latchkey.model.TokenPair;

/** Walks through the service, or its mock, with the generated client, and prints a line for each step. */
public final class Program {
    private static final String USERNAME = System.getenv("LATCHKEY_USERNAME");
    private static final String PASSWORD = System.getenv("LATCHKEY_PASSWORD");

    /** The generated code sends no credentials, and asks for refusals in both of their forms. */
    private static ApiClient connect(String authorization) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(System.getenv("LATCHKEY_URL"));
        client.setRequestInterceptor(request -> {
            request.setHeader("Accept", "application/json");
            if (authorization != null) {
                request.setHeader("Authorization", authorization);
            }
        });
        return client;
    }

    /** Asks the mock for a refusal by name. The service ignores this. */
    private static Map<String, String> prefer(int status, String example) {
        return Map.of("Prefer", "code=" + status + ", example=" + example);
    }

    private interface Call {
        Object make() throws ApiException;
    }

    private static ApiException refusal(Call call) {
        try {
            call.make();
        } catch (ApiException refused) {
            return refused;
        }
        throw new IllegalStateException("no refusal");
    }

    private static <T> T read(ApiException refused, Class<T> type) throws Exception {
        return JSON.getDefault().getMapper().readValue(refused.getResponseBody(), type);
    }

    private static ProductPage list(ApiClient client, String cursor) throws ApiException {
        return new ProductsApi(client).listProducts(null, null, null, null, null, null, null, null, null, null,
            null, null, cursor, 2, null);
    }

    /** The cursor in the URL of a page. */
    private static String cursorOf(URI page) {
        for (String parameter : page.getQuery().split("&")) {
            if (parameter.startsWith("cursor=")) {
                return parameter.substring("cursor=".length());
            }
        }
        throw new IllegalStateException("no cursor");
    }

    private static void say(String step, Map<String, Object> facts) throws Exception {
        Map<String, Object> line = new LinkedHashMap<>(facts);
        line.put("step", step);
        System.out.println(JSON.getDefault().getMapper().writeValueAsString(line));
    }

    public static void main(String[] args) throws Exception {
        ApiClient anonymous = connect(null);
        JsonWebTokensApi sessions = new JsonWebTokensApi(anonymous);

        String token = new TokensApi(anonymous)
            .obtainAuthToken(new TokenCredentials().username(USERNAME).password(PASSWORD)).getToken();
        ApiClient byToken = connect("Token " + token);
        say("get token", Map.of("username", new AccountsApi(byToken).retrieveMe().getUsername()));

        TokenPair pair = sessions.login(new Credentials().username(USERNAME).password(PASSWORD));
        ApiClient byJwt = connect("Bearer " + pair.getAccess());
        say("log in", Map.of("username", new AccountsApi(byJwt).retrieveMe().getUsername()));

        RefreshedTokens renewed = sessions.refreshToken(new RefreshRequest().refresh(pair.getRefresh()));
        String refresh = renewed.getRefresh() == null ? pair.getRefresh() : renewed.getRefresh();
        byJwt = connect("Bearer " + renewed.getAccess());
        say("refresh", Map.of("username", new AccountsApi(byJwt).retrieveMe().getUsername()));

        ProductPage page = list(byJwt, null);
        int pages = 1;
        int products = page.getResults().size();
        while (page.getNext() != null) {
            page = list(byJwt, cursorOf(page.getNext()));
            pages += 1;
            products += page.getResults().size();
        }
        say("walk", Map.of("pages", pages, "products", products));

        ProductsApi owned = new ProductsApi(byToken);
        Product product =
            owned.createProduct(new ProductInput().name("Oak chair").price("49.90").stock(12), null);
        say("create", Map.of("name", product.getName(), "price", product.getPrice()));

        ApiException failure = refusal(() -> owned.createProduct(
            new ProductInput().name("Oak chair").price("free"), null, prefer(400, "price_not_a_number")));
        List<String> price = read(failure, ProductErrors.class).getPrice();
        say("get a typed error", Map.of("status", failure.getCode(), "price", price));

        sessions.blacklistToken(new BlacklistRequest().refresh(refresh));
        say("log out", Map.of());

        failure = refusal(() ->
            sessions.refreshToken(new RefreshRequest().refresh(refresh), prefer(401, "token_blacklisted")));
        ErrorDetail refused = read(failure, ErrorDetail.class);
        say("be refused a refresh",
            Map.of("status", failure.getCode(), "code", refused.getCode(), "detail", refused.getDetail()));

        new TokensApi(byToken).destroyAuthToken();
        say("end the token", Map.of());

        failure = refusal(() -> new AccountsApi(byToken).retrieveMe(prefer(401, "token_unknown")));
        ErrorDetail stranger = read(failure, ErrorDetail.class);
        say("be refused by the token", Map.of("status", failure.getCode(), "detail", stranger.getDetail()));
    }
}
