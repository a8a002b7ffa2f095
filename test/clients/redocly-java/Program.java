import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import latchkey.Latchkey;

/** Walks through the service, or its mock, with the generated client, and prints a line for each step. */
public final class Program {
    private static final String USERNAME = System.getenv("LATCHKEY_USERNAME");
    private static final String PASSWORD = System.getenv("LATCHKEY_PASSWORD");

    private static Latchkey.Config config(Latchkey.Auth auth) {
        return new Latchkey.Config()
            .serverUrl(System.getenv("LATCHKEY_URL"))
            .auth(auth);
    }

    private static Latchkey connect(Latchkey.Auth auth) {
        return new Latchkey(config(auth));
    }

    /** A client that asks the mock for a refusal by name. The service ignores this. */
    private static Latchkey connect(Latchkey.Auth auth, int status, String example) {
        return new Latchkey(config(auth).header("Prefer", "code=" + status + ", example=" + example));
    }

    private static Latchkey.ApiException refusal(Supplier<?> call) {
        try {
            call.get();
        } catch (Latchkey.ApiException refused) {
            return refused;
        }
        throw new IllegalStateException("no refusal");
    }

    private static void say(String step, Map<String, Object> facts) {
        Map<String, Object> line = new LinkedHashMap<>(facts);
        line.put("step", step);
        System.out.println(Latchkey.Json.write(line));
    }

    public static void main(String[] args) {
        Latchkey.Auth nobody = new Latchkey.Auth();
        Latchkey anonymous = connect(nobody);

        String token = anonymous.obtainAuthToken(new Latchkey.TokenCredentials(USERNAME, PASSWORD)).token();
        Latchkey.Auth tokenAuth = new Latchkey.Auth().apiKey("tokenAuth", "Token " + token);
        Latchkey byToken = connect(tokenAuth);
        say("get token", Map.of("username", byToken.retrieveMe().username()));

        Latchkey.TokenPair pair = anonymous.login(new Latchkey.Credentials(USERNAME, PASSWORD));
        Latchkey byJwt = connect(new Latchkey.Auth().bearer(pair.access()));
        say("log in", Map.of("username", byJwt.retrieveMe().username()));

        Latchkey.RefreshedTokens renewed = anonymous.refreshToken(new Latchkey.RefreshRequest(pair.refresh()));
        String refresh = renewed.refresh() == null ? pair.refresh() : renewed.refresh();
        byJwt = connect(new Latchkey.Auth().bearer(renewed.access()));
        say("refresh", Map.of("username", byJwt.retrieveMe().username()));

        int pages = 0;
        int products = 0;
        Latchkey.ListProductsParams twoEach = new Latchkey.ListProductsParams().pageSize(2L);
        for (Latchkey.ProductPage page : byJwt.listProductsPages(twoEach)) {
            pages += 1;
            products += page.results().size();
        }
        say("walk", Map.of("pages", pages, "products", products));

        Latchkey.Product product =
            byToken.createProduct(new Latchkey.ProductInput("Oak chair", null, "49.90", 12L));
        say("create", Map.of("name", product.name(), "price", product.price()));

        Latchkey.ApiException failure = refusal(() -> connect(tokenAuth, 400, "price_not_a_number")
            .createProduct(new Latchkey.ProductInput("Oak chair", null, "free", null)));
        Latchkey.ProductErrors invalid = Latchkey.ProductErrors.fromJson(failure.body);
        say("get a typed error", Map.of("status", failure.status, "price", invalid.price()));

        anonymous.blacklistToken(new Latchkey.BlacklistRequest(refresh));
        say("log out", Map.of());

        failure = refusal(() -> connect(nobody, 401, "token_blacklisted")
            .refreshToken(new Latchkey.RefreshRequest(refresh)));
        Latchkey.ErrorDetail refused = Latchkey.ErrorDetail.fromJson(failure.body);
        say("be refused a refresh",
            Map.of("status", failure.status, "code", refused.code(), "detail", refused.detail()));

        byToken.destroyAuthToken();
        say("end the token", Map.of());

        failure = refusal(() -> connect(tokenAuth, 401, "token_unknown").retrieveMe());
        Latchkey.ErrorDetail stranger = Latchkey.ErrorDetail.fromJson(failure.body);
        say("be refused by the token", Map.of("status", failure.status, "detail", stranger.detail()));
    }
}
