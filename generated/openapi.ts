// Generated from openapi.yaml by `npm run generate`. Do not edit.

export interface paths {
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Say hello
         * @description Greets anyone. Credentials are not needed, but if they are sent they must be good ones, which makes this a
         *     simple way to try them.
         */
        get: operations["hello"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/token/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get your token
         * @description Exchanges username and password for the user's token, the same one each time. Send it as
         *     `Authorization: Token <token>`. Wrong credentials in the body are a 400; a bad `Authorization` header is a 401
         *     here too, so send none.
         */
        post: operations["obtainAuthToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/token/logout/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End your token
         * @description Ends the token of the user who sends the request, whichever scheme the request uses; sessions go on. The next
         *     `POST /auth/token/` makes another token. A request body is not read.
         */
        post: operations["destroyAuthToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/token/rotate/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Replace your token
         * @description Ends the token of the user who sends the request, whichever scheme the request uses, and gives another one. A
         *     request body is not read.
         */
        post: operations["rotateAuthToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/users/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make an account
         * @description Anyone may have an account, unless the service is configured otherwise. The name is stored in Unicode's
         *     compatibility form (NFKC), so that look-alikes of that kind are one name; letters of one script may be used, or
         *     of those that are written together in Chinese, Japanese or Korean. A name that differs from another one by case
         *     alone is taken. All reasons against a name, a password and an e-mail address are told at once.
         */
        post: operations["registerUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/users/me/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get your account
         * @description The account of the user who sends the request.
         */
        get: operations["retrieveMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change your account
         * @description Sets the e-mail address, or removes it where it is blank. An empty body changes nothing. A name never changes.
         */
        patch: operations["updateMe"];
        trace?: never;
    };
    "/auth/users/set_password/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change your password
         * @description Takes the current password as well, and ends everything that was given out before: all sessions of the user and
         *     the token, those of this request included. Log in with the new password.
         */
        post: operations["setPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/login/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in
         * @description Exchanges username and password for an access token and a refresh token. The `Authorization` header is not
         *     looked at.
         */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/refresh_token/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get a new access token
         * @description Exchanges a refresh token for a new access token. Where rotation is on, a new refresh token comes with it and
         *     the one sent is used up: keep the new one. The `Authorization` header is not looked at.
         */
        post: operations["refreshToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/login/sliding/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in for a sliding token
         * @description Exchanges username and password for one token that is both shown and refreshed. It is taken in the
         *     `Authorization` header where AUTH_TOKEN_CLASSES names SlidingToken. The `Authorization` header is not looked
         *     at.
         */
        post: operations["obtainSlidingToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/refresh_token/sliding/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Refresh a sliding token
         * @description Gives the same sliding token with a later expiry, as long as neither it nor its `refresh_exp` has expired. The
         *     `Authorization` header is not looked at.
         */
        post: operations["refreshSlidingToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/verify_token/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Check a token
         * @description Says whether a token of any type is well formed, signed by this service, not expired, not revoked, and of an
         *     active user. Where REVOKE_ACCESS_TOKENS is off, it says what simplejwt does: the user is not asked for, and
         *     blacklisted refresh tokens are refused (with a 400) only where BLACKLIST_AFTER_ROTATION is on. The
         *     `Authorization` header is not looked at.
         */
        post: operations["verifyToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/blacklist_token/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log out
         * @description Ends a refresh token: from now on it, and every refresh token that comes from the same login, refreshes
         *     nothing. The refresh token itself is the proof of the right to do so; the `Authorization` header is not looked
         *     at.
         */
        post: operations["blacklistToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/sessions/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List your sessions
         * @description The sessions in which you are logged in: those that have neither ended nor expired. Newest first, page by
         *     page: follow `next` until it is null.
         */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/sessions/revoke_all/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log out everywhere
         * @description Ends all your sessions, or all but the one that the access token in the `Authorization` header belongs to. An
         *     opaque token belongs to none, so with one all end; the token itself stays good.
         */
        post: operations["revokeAllSessions"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/sessions/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Log out of a session
         * @description Ends one of your sessions: its refresh token is good for nothing any more, and neither are its access tokens,
         *     unless REVOKE_ACCESS_TOKENS is off. A request body is not read.
         */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/introspect/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask what a token is worth
         * @description Token introspection (RFC 7662), for services that are shown tokens and cannot or would not verify them by
         *     themselves. A token is active if this service would take it now: an access token, a sliding token or a token
         *     of `/auth/token/` in the `Authorization` header, a refresh token at `/refresh_token/`. Of all others, whatever
         *     is wrong with them, nothing else is told.
         *
         *     Staff may ask, and the service whose name and password are configured, by HTTP Basic.
         */
        post: operations["introspectToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/revoke/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End a token
         * @description Token revocation (RFC 7009). A refresh token ends its session with all its tokens, also where a newer one has
         *     taken its place; so does a sliding token. An access token ends alone, unless REVOKE_ACCESS_TOKENS is off. A
         *     token of `/auth/token/` ends too; the next call there makes a new one.
         *
         *     The token itself is the proof of the right to end it; the `Authorization` header is not looked at. The answer
         *     is the same for tokens that are unknown, expired or ended already.
         */
        post: operations["revokeToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List, filter and search products
         * @description Newest first, page by page: follow `next` until it is null. All filters given must hold. Parameters that are
         *     empty or not listed here are ignored; of a repeated one the last counts.
         */
        get: operations["listProducts"];
        put?: never;
        /**
         * Add a product
         * @description The user who sends the request becomes the product's owner. Without a description it is empty, without a stock
         *     it is 0.
         */
        post: operations["createProduct"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products/{id}/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a product
         * @description Any user may read any product.
         */
        get: operations["retrieveProduct"];
        /**
         * Replace a product
         * @description Name and price must be sent. A description or stock that is left out stays as it was. The owner never changes.
         */
        put: operations["updateProduct"];
        post?: never;
        /**
         * Delete a product
         * @description The product is gone for good. A request body is not read.
         */
        delete: operations["destroyProduct"];
        options?: never;
        head?: never;
        /**
         * Change some fields of a product
         * @description Only the fields that are sent change. An empty body changes nothing.
         */
        patch: operations["partialUpdateProduct"];
        trace?: never;
    };
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the public keys
         * @description The public keys of all tokens that are valid, as a JWK set (RFC 7517), for services that verify access tokens
         *     themselves: pick the key by the `kid` in the token's header, and take no algorithm but its `alg`. A key is
         *     listed some minutes before it signs, and until its last token has expired, so that a copy of the list may be
         *     kept for as long as `Cache-Control` says. Shared secrets (HS256) are never listed.
         */
        get: operations["getJwks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A friendly word. */
        Greeting: {
            /**
             * @description The greeting.
             * @example Hello, World!
             */
            message: string;
        };
        /** @description Who logs in. */
        Credentials: {
            /**
             * @description The user's name. Case matters.
             * @example alice
             */
            username: string;
            /**
             * Format: password
             * @description The user's password. White space around it is removed.
             * @example correct-horse-battery
             */
            password: string;
        };
        /** @description Whose token is asked for. */
        TokenCredentials: {
            /**
             * @description The user's name. Case matters.
             * @example alice
             */
            username: string;
            /**
             * Format: password
             * @description The user's password, taken as it is sent, white space included.
             * @example correct-horse-battery
             */
            password: string;
        };
        /** @description A user's lasting token. */
        AuthToken: {
            /**
             * @description 40 hexadecimal digits. Whoever has them is the user.
             * @example 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b
             */
            token: string;
        };
        /** @description Who wants an account. */
        Registration: {
            /**
             * @description Up to 150 letters, digits and `@`, `.`, `+`, `-`, `_`, counted in the form in which they are stored.
             * @example alice
             */
            username: string;
            /**
             * Format: password
             * @description From 8 to 1,024 characters, unless configured otherwise: neither common nor like the name. White space
             *     around it is removed.
             * @example correct-horse-battery
             */
            password: string;
            /**
             * @description An e-mail address, of up to 254 characters. May be blank. Left out, there is none.
             * @example alice@example.org
             */
            email?: string;
        };
        /** @description A user, as that user sees it. */
        Account: {
            /**
             * @description The e-mail address; empty where there is none.
             * @example alice@example.org
             */
            email: string;
            /**
             * @description The name to log in with.
             * @example alice
             */
            username: string;
            /**
             * Format: int64
             * @description The user's number.
             * @example 1
             */
            id: number;
        };
        /** @description What is to change of an account. */
        AccountPatch: {
            /**
             * @description An e-mail address, of up to 254 characters; blank for none.
             * @example alice@example.net
             */
            email?: string;
        };
        /** @description The password that is, and the one that is to be. */
        PasswordChange: {
            /**
             * Format: password
             * @description From 8 to 1,024 characters, unless configured otherwise: neither common nor like the name. White space
             *     around it is removed.
             * @example battery-horse-correct
             */
            new_password: string;
            /**
             * Format: password
             * @description The password until now. White space around it is removed.
             * @example correct-horse-battery
             */
            current_password: string;
        };
        /** @description What a login gives. */
        TokenPair: {
            /**
             * @description A JWT that is good for new access tokens at `/refresh_token/`, for a day unless configured otherwise.
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6MTc5NTUxNDQwMCwiaWF0IjoxNzk1NDI4MDAwLCJqdGkiOiIwMWEyMDdkOTIxN2I3ODM2YTBkMWU5YzNmN2IyODY0NSIsInVzZXJfaWQiOiIxIiwic2lkIjoiMDFhMjA3ZDktMjE3Yi03YzNlLTlkMjEtNGY2YThiMWMyZDNlIiwidG9rZW5fdmVyc2lvbiI6MH0.2CMT60zbwp3YD-pgMVVYZtYgvWYP1St2IbjaYCnBhpY
             */
            refresh: string;
            /**
             * @description A JWT for the `Authorization` header, good for five minutes unless configured otherwise.
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIiwiZXhwIjoxNzk1NDI4MzAwLCJpYXQiOjE3OTU0MjgwMDAsImp0aSI6IjAxYTIwN2Q5MjE3YjdjMmY5YjZlN2ExZDBjNGI4ZTMyIiwidXNlcl9pZCI6IjEiLCJzaWQiOiIwMWEyMDdkOS0yMTdiLTdjM2UtOWQyMS00ZjZhOGIxYzJkM2UiLCJ0b2tlbl92ZXJzaW9uIjowfQ.wwII091BwezSwlLj8Qdu9DF6s3Z8k14xL6UVXeBg0QA
             */
            access: string;
        };
        /** @description The refresh token to use. */
        RefreshRequest: {
            /**
             * @description The refresh token from `/login/`, or from the last refresh where rotation is on.
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6MTc5NTUxNDQwMCwiaWF0IjoxNzk1NDI4MDAwLCJqdGkiOiIwMWEyMDdkOTIxN2I3ODM2YTBkMWU5YzNmN2IyODY0NSIsInVzZXJfaWQiOiIxIiwic2lkIjoiMDFhMjA3ZDktMjE3Yi03YzNlLTlkMjEtNGY2YThiMWMyZDNlIiwidG9rZW5fdmVyc2lvbiI6MH0.2CMT60zbwp3YD-pgMVVYZtYgvWYP1St2IbjaYCnBhpY
             */
            refresh: string;
        };
        /** @description What a refresh gives. */
        RefreshedTokens: {
            /**
             * @description The new access token.
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIiwiZXhwIjoxNzk1NDI4NTQwLCJpYXQiOjE3OTU0MjgyNDAsImp0aSI6IjAxYTIwN2RjY2M3NDdmNThiM2M2ZDhmMDJhOTE1ZTdkIiwidXNlcl9pZCI6IjEiLCJzaWQiOiIwMWEyMDdkOS0yMTdiLTdjM2UtOWQyMS00ZjZhOGIxYzJkM2UiLCJ0b2tlbl92ZXJzaW9uIjowfQ.102vjw7SaHx2Kp7GPIQy5wT3LKIC1Rsr6d1lmOEs85g
             */
            access: string;
            /**
             * @description The new refresh token, which replaces the one sent. Only there where rotation is on.
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6MTc5NTUxNDY0MCwiaWF0IjoxNzk1NDI4MjQwLCJqdGkiOiIwMWEyMDdkY2NjNzQ3YjkyYWQ0ZjFlNmI5YzI1MDg3MyIsInVzZXJfaWQiOiIxIiwic2lkIjoiMDFhMjA3ZDktMjE3Yi03YzNlLTlkMjEtNGY2YThiMWMyZDNlIiwidG9rZW5fdmVyc2lvbiI6MH0.rPDnvQBICv1bmMTWhwKTm690tHeht11oro-oOlUjae0
             */
            refresh?: string;
        };
        /** @description A sliding token, which is both shown and refreshed. */
        SlidingToken: {
            /**
             * @description The sliding token.
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoic2xpZGluZyIsImV4cCI6MTc5NTQyODMwMCwiaWF0IjoxNzk1NDI4MDAwLCJqdGkiOiIwMWEyMDdkOTIxN2I3YTg3OWMwNGU4ZDdmNmE1MWIzMiIsInVzZXJfaWQiOiIxIiwic2lkIjoiMDFhMjA3ZDktMjE3Yi03MWI4LWIzYTYtOWUwNGM1N2QyZjE4IiwidG9rZW5fdmVyc2lvbiI6MCwicmVmcmVzaF9leHAiOjE3OTU1MTQ0MDB9.SklVuht-IWIxxAuS3BYEsC7WLwgP3h7Ctn_NMYMV6cg
             */
            token: string;
        };
        /** @description The token to check. */
        VerifyRequest: {
            /**
             * @description An access, refresh or sliding token.
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIiwiZXhwIjoxNzk1NDI4MzAwLCJpYXQiOjE3OTU0MjgwMDAsImp0aSI6IjAxYTIwN2Q5MjE3YjdjMmY5YjZlN2ExZDBjNGI4ZTMyIiwidXNlcl9pZCI6IjEiLCJzaWQiOiIwMWEyMDdkOS0yMTdiLTdjM2UtOWQyMS00ZjZhOGIxYzJkM2UiLCJ0b2tlbl92ZXJzaW9uIjowfQ.wwII091BwezSwlLj8Qdu9DF6s3Z8k14xL6UVXeBg0QA
             */
            token: string;
        };
        /** @description The refresh token to end. */
        BlacklistRequest: {
            /**
             * @description A refresh token that has neither expired nor been blacklisted.
             * @example eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6MTc5NTUxNDQwMCwiaWF0IjoxNzk1NDI4MDAwLCJqdGkiOiIwMWEyMDdkOTIxN2I3ODM2YTBkMWU5YzNmN2IyODY0NSIsInVzZXJfaWQiOiIxIiwic2lkIjoiMDFhMjA3ZDktMjE3Yi03YzNlLTlkMjEtNGY2YThiMWMyZDNlIiwidG9rZW5fdmVyc2lvbiI6MH0.2CMT60zbwp3YD-pgMVVYZtYgvWYP1St2IbjaYCnBhpY
             */
            refresh: string;
        };
        /** @description A token of any kind. */
        AnyToken: {
            /**
             * @description An access, refresh or sliding token, or a token of `/auth/token/`.
             * @example 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b
             */
            token: string;
            /**
             * @description What kind of token it may be. Nothing depends on it, since a token shows its kind.
             * @example access_token
             */
            token_type_hint?: string;
        };
        /** @description What a token is worth. All but `active` is told of active tokens only, as far as the token says it. */
        Introspection: {
            /**
             * @description Whether this service would take the token now.
             * @example true
             */
            active: boolean;
            /**
             * @description `access`, `refresh`, `sliding`, or `opaque` for a token of `/auth/token/`.
             * @example access
             */
            token_type?: string;
            /**
             * @description The name of the token's user.
             * @example alice
             */
            username?: string;
            /**
             * @description The number of the token's user, as text.
             * @example 1
             */
            sub?: string;
            /**
             * Format: int64
             * @description When it expires, in seconds since 1970.
             * @example 1795428300
             */
            exp?: number;
            /**
             * Format: int64
             * @description When it was issued, in seconds since 1970.
             * @example 1795428000
             */
            iat?: number;
            /**
             * @description The token's id.
             * @example 01a207d9217b7c2f9b6e7a1d0c4b8e32
             */
            jti?: string;
            /**
             * Format: uuid
             * @description The session that it belongs to. Tokens that simplejwt issued belong to none.
             * @example 01a207d9-217b-7c3e-9d21-4f6a8b1c2d3e
             */
            sid?: string;
            /**
             * @description Who issued it.
             * @example https://auth.example.com
             */
            iss?: string;
            /**
             * @description Whom it is for.
             * @example shop
             */
            aud?: string | string[];
        };
        /**
         * @description Nothing to say, the status says it.
         * @example {}
         */
        EmptyObject: Record<string, never>;
        /** @description A login that lives on by refreshes. */
        Session: {
            /**
             * Format: uuid
             * @description The session's id, which is the claim `sid` of its tokens.
             * @example 01a207d9-217b-7c3e-9d21-4f6a8b1c2d3e
             */
            id: string;
            /**
             * Format: date-time
             * @description When it began, in UTC.
             * @example 2026-11-23T10:00:00.123000Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was last refreshed, in UTC, to the minute where refresh tokens are not rotated; null if never.
             * @example 2026-11-23T10:04:00.500000Z
             */
            last_used_at: string | null;
            /**
             * Format: date-time
             * @description When its refresh token expires, in UTC. A rotation moves it on.
             * @example 2026-11-24T10:04:00Z
             */
            expires_at: string;
            /**
             * @description The program that logged in, as it calls itself.
             * @example Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0
             */
            user_agent: string | null;
            /**
             * @description The address that the login came from.
             * @example 203.0.113.7
             */
            ip: string | null;
            /**
             * @description Whether the access token of this request belongs to it. Never so with an opaque token.
             * @example true
             */
            current: boolean;
        };
        /** @description A page of sessions, and the way to its neighbours. */
        SessionPage: {
            /**
             * Format: uri
             * @description The next page, or null on the last one.
             * @example https://shop.example.com/auth/sessions/?cursor=cD0wMWEyMDQ4NS1lMjBlLTdmNTAtODE2Mi03Mzg0OTVhNmI3Yzg%3D&page_size=2
             */
            next: string | null;
            /**
             * Format: uri
             * @description The page before, or null on the first one.
             * @example https://shop.example.com/auth/sessions/?cursor=cj0xJnA9MDFhMWZkMTAtZGMxYy03YTE5LWI3ZTItNjBkNWM0ZjNhMjE4&page_size=2
             */
            previous: string | null;
            /** @description The sessions of this page. */
            results: components["schemas"]["Session"][];
        };
        /** @description Which sessions to end. */
        RevokeAllRequest: {
            /**
             * @description Whether the session of this request goes on. Left out, it ends like the others.
             * @example true
             */
            keep_current?: boolean;
        };
        /** @description How many sessions have ended by this. */
        RevokedSessions: {
            /**
             * Format: int32
             * @description Their number.
             * @example 3
             */
            revoked: number;
        };
        /** @description A product as its owner describes it. */
        ProductInput: {
            /**
             * @description What it is called.
             * @example Oak chair
             */
            name: string;
            /**
             * @description What it is like. May be blank. Left out, it is empty on a new product and stays as it was on an old one.
             * @example Solid oak, oiled, with a woven seat.
             */
            description?: string;
            /**
             * Format: decimal
             * @description What it costs, with at most 8 digits before the decimal point and 2 after it. A JSON number is taken too.
             * @example 49.90
             */
            price: string;
            /**
             * Format: int32
             * @description How many there are. Left out, it is 0 on a new product and stays as it was on an old one.
             * @example 12
             */
            stock?: number;
        };
        /** @description The fields of a product that are to change. */
        ProductPatch: {
            /**
             * @description What it is called.
             * @example Oak chair
             */
            name?: string;
            /**
             * @description What it is like. May be blank.
             * @example Solid oak, oiled, with a woven seat.
             */
            description?: string;
            /**
             * Format: decimal
             * @description What it costs, with at most 8 digits before the decimal point and 2 after it. A JSON number is taken too.
             * @example 44.90
             */
            price?: string;
            /**
             * Format: int32
             * @description How many there are.
             * @example 12
             */
            stock?: number;
        };
        /** @description A product as it is stored. */
        Product: {
            /**
             * Format: int64
             * @description The product's number.
             * @example 42
             */
            id: number;
            /**
             * @description What it is called.
             * @example Oak chair
             */
            name: string;
            /**
             * @description What it is like; may be empty.
             * @example Solid oak, oiled, with a woven seat.
             */
            description: string;
            /**
             * Format: decimal
             * @description What it costs, always with two decimals. Text, so that no digit is lost.
             * @example 49.90
             */
            price: string;
            /**
             * Format: int32
             * @description How many there are.
             * @example 12
             */
            stock: number;
            /**
             * Format: int64
             * @description The number of the user who added it.
             * @example 1
             */
            owner: number;
            /**
             * Format: date-time
             * @description When it was added, in UTC.
             * @example 2026-11-23T10:00:00.123456Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description When it was last changed, in UTC.
             * @example 2026-11-23T10:00:00.123456Z
             */
            updated_at: string;
        };
        /** @description A page of products, and the way to its neighbours. */
        ProductPage: {
            /**
             * Format: uri
             * @description The next page, or null on the last one.
             * @example https://shop.example.com/products/?cursor=cD00MQ%3D%3D&page_size=2
             */
            next: string | null;
            /**
             * Format: uri
             * @description The page before, or null on the first one.
             * @example https://shop.example.com/products/?cursor=cj0xJnA9NDA%3D&page_size=2
             */
            previous: string | null;
            /** @description The products of this page. */
            results: components["schemas"]["Product"][];
        };
        /** @description Why the request was refused. */
        ErrorDetail: {
            /**
             * @description The reason, for people.
             * @example Authentication credentials were not provided.
             */
            detail: string;
            /**
             * @description The reason, for programs, where JWTs or clients are concerned: `token_not_valid`,
             *     `bad_authorization_header`, `user_not_found`, `user_inactive` or `invalid_client`.
             * @example token_not_valid
             */
            code?: string;
            /** @description What each kind of token that may be in the header found wrong. */
            messages?: components["schemas"]["TokenFailure"][];
        };
        /**
         * @description Why the request was refused, after RFC 9457: the same refusal in another form, for those whose `Accept` names
         *     `application/problem+json`.
         */
        Problem: {
            /**
             * Format: uri-reference
             * @description The kind of problem, as a URI that leads to the table of codes. One for each `code`.
             * @example /problems#invalid
             */
            type: string;
            /**
             * @description The kind of problem, for people. One for each `code`.
             * @example The input is not valid
             */
            title: string;
            /**
             * Format: int32
             * @description The status of the answer.
             * @example 400
             */
            status: number;
            /**
             * @description The reason, for people.
             * @example name: This field is required. price: This field is required.
             */
            detail: string;
            /**
             * @description The reason, for programs. The table of codes explains it.
             * @example invalid
             * @enum {string}
             */
            code: "invalid" | "parse_error" | "not_authenticated" | "authentication_failed" | "no_active_account" | "token_not_valid" | "bad_authorization_header" | "user_not_found" | "user_inactive" | "invalid_client" | "permission_denied" | "not_found" | "method_not_allowed" | "not_acceptable" | "idempotency_conflict" | "precondition_failed" | "request_too_large" | "unsupported_media_type" | "idempotency_key_reused" | "throttled" | "error" | "service_unavailable";
            /** @description What is wrong with the input, where `code` is `invalid`. */
            errors?: components["schemas"]["InputProblem"][];
            /**
             * @description The name of this request, as in the header `X-Request-Id`.
             * @example 7d7a2f0c-5c1e-4b7b-9a55-2f0a1d6e8c43
             */
            request_id: string;
        };
        /** @description What is wrong with one field of a body, or with one parameter. */
        InputProblem: {
            /**
             * @description Its name; `non_field_errors` for what concerns no single one.
             * @example price
             */
            field: string;
            /**
             * @description The reason, for people.
             * @example A valid number is required.
             */
            detail: string;
            /**
             * @description The reason, for programs. The second table of codes explains it.
             * @example invalid
             * @enum {string}
             */
            code: "required" | "null" | "blank" | "invalid" | "max_length" | "min_value" | "max_value" | "max_digits" | "max_decimal_places" | "max_whole_digits" | "max_string_length" | "null_characters_not_allowed" | "surrogate_characters_not_allowed" | "unique" | "password_too_short" | "password_too_common" | "password_too_similar" | "invalid_password" | "authorization" | "token_not_valid";
        };
        /** @description What is wrong with a JWT in the Authorization header. */
        TokenFailure: {
            /**
             * @description simplejwt's class for this kind of token.
             * @example AccessToken
             */
            token_class: string;
            /**
             * @description The kind of token.
             * @example access
             */
            token_type: string;
            /**
             * @description What is wrong.
             * @example Token is expired
             */
            message: string;
        };
        /** @description What is wrong with a login, by field, or only `detail` where the body could not be read at all. */
        CredentialsErrors: {
            username?: components["schemas"]["Sentences"];
            password?: components["schemas"]["Sentences"];
            non_field_errors?: components["schemas"]["Sentences"];
            /**
             * @description Why the body could not be read.
             * @example JSON parse error - invalid JSON: line 1 column 13 (char 12)
             */
            detail?: string;
        } & {
            [key: string]: components["schemas"]["Sentences"];
        };
        /** @description What is wrong with a registration, by field, or only `detail` where the body could not be read at all. */
        RegistrationErrors: {
            username?: components["schemas"]["Sentences"];
            password?: components["schemas"]["Sentences"];
            email?: components["schemas"]["Sentences"];
            non_field_errors?: components["schemas"]["Sentences"];
            /**
             * @description Why the body could not be read.
             * @example JSON parse error - invalid JSON: line 1 column 13 (char 12)
             */
            detail?: string;
        } & {
            [key: string]: components["schemas"]["Sentences"];
        };
        /** @description What is wrong with a change of an account, by field, or only `detail` where the body could not be read at all. */
        AccountErrors: {
            email?: components["schemas"]["Sentences"];
            non_field_errors?: components["schemas"]["Sentences"];
            /**
             * @description Why the body could not be read.
             * @example JSON parse error - invalid JSON: line 1 column 13 (char 12)
             */
            detail?: string;
        } & {
            [key: string]: components["schemas"]["Sentences"];
        };
        /** @description What is wrong with a change of a password, by field, or only `detail` where the body could not be read at all. */
        PasswordErrors: {
            new_password?: components["schemas"]["Sentences"];
            current_password?: components["schemas"]["Sentences"];
            non_field_errors?: components["schemas"]["Sentences"];
            /**
             * @description Why the body could not be read.
             * @example JSON parse error - invalid JSON: line 1 column 13 (char 12)
             */
            detail?: string;
        } & {
            [key: string]: components["schemas"]["Sentences"];
        };
        /** @description What is wrong with a refresh token that was sent, by field, or only `detail` where the body could not be read at all. */
        RefreshErrors: {
            refresh?: components["schemas"]["Sentences"];
            non_field_errors?: components["schemas"]["Sentences"];
            /**
             * @description Why the body could not be read.
             * @example JSON parse error - invalid JSON: line 1 column 13 (char 12)
             */
            detail?: string;
        } & {
            [key: string]: components["schemas"]["Sentences"];
        };
        /** @description What is wrong with a token that was sent, by field, or only `detail` where the body could not be read at all. */
        TokenErrors: {
            token?: components["schemas"]["Sentences"];
            non_field_errors?: components["schemas"]["Sentences"];
            /**
             * @description Why the body could not be read.
             * @example JSON parse error - invalid JSON: line 1 column 13 (char 12)
             */
            detail?: string;
        } & {
            [key: string]: components["schemas"]["Sentences"];
        };
        /** @description What is wrong with a token of any kind that was sent, by field, or only `detail` where the body could not be read at all. */
        AnyTokenErrors: {
            token?: components["schemas"]["Sentences"];
            token_type_hint?: components["schemas"]["Sentences"];
            non_field_errors?: components["schemas"]["Sentences"];
            /**
             * @description Why the body could not be read.
             * @example JSON parse error - invalid JSON: line 1 column 13 (char 12)
             */
            detail?: string;
        } & {
            [key: string]: components["schemas"]["Sentences"];
        };
        /** @description What is wrong with which sessions to end, by field, or only `detail` where the body could not be read at all. */
        RevokeAllErrors: {
            keep_current?: components["schemas"]["Sentences"];
            non_field_errors?: components["schemas"]["Sentences"];
            /**
             * @description Why the body could not be read.
             * @example JSON parse error - invalid JSON: line 1 column 13 (char 12)
             */
            detail?: string;
        } & {
            [key: string]: components["schemas"]["Sentences"];
        };
        /** @description What is wrong with a product as it was sent, by field, or only `detail` where the body could not be read at all. */
        ProductErrors: {
            name?: components["schemas"]["Sentences"];
            description?: components["schemas"]["Sentences"];
            price?: components["schemas"]["Sentences"];
            stock?: components["schemas"]["Sentences"];
            non_field_errors?: components["schemas"]["Sentences"];
            /**
             * @description Why the body could not be read.
             * @example JSON parse error - invalid JSON: line 1 column 13 (char 12)
             */
            detail?: string;
        } & {
            [key: string]: components["schemas"]["Sentences"];
        };
        /** @description What is wrong with one field, or under `non_field_errors` with none in particular. */
        Sentences: string[];
        /**
         * @description A list of sentences for each parameter that is wrong; a bare list where the search text is; or only `detail`
         *     where the request is malformed.
         */
        BadQuery: ({
            /**
             * @description Why the request could not be read.
             * @example Malformed request.
             */
            detail?: string;
        } & {
            [key: string]: string[];
        }) | string[];
        /** @description A set of JSON Web Keys (RFC 7517, 5). */
        JwkSet: {
            /** @description The keys; the order says nothing. */
            keys: components["schemas"]["Jwk"][];
        };
        /** @description A public key (RFC 7517, 4); `n` and `e` if it is an RSA key, `crv`, `x` and `y` if it is one on P-256. */
        Jwk: {
            /**
             * @description The type of the key.
             * @enum {string}
             */
            kty: "RSA" | "EC";
            /**
             * @description The name that the headers of its tokens carry, its thumbprint (RFC 7638).
             * @example 0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I
             */
            kid: string;
            /**
             * @description It is for signatures.
             * @enum {string}
             */
            use: "sig";
            /**
             * @description The only algorithm of its tokens.
             * @enum {string}
             */
            alg: "RS256" | "ES256";
            /**
             * @description The modulus, in base64url.
             * @example 0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw
             */
            n?: string;
            /**
             * @description The exponent, in base64url.
             * @example AQAB
             */
            e?: string;
            /**
             * @description The curve.
             * @enum {string}
             */
            crv?: "P-256";
            /**
             * @description The first coordinate, in base64url.
             * @example l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs
             */
            x?: string;
            /**
             * @description The second coordinate, in base64url.
             * @example 9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA
             */
            y?: string;
        };
    };
    responses: {
        /** @description The request itself is broken, for example by two `Authorization` headers. */
        MalformedRequest: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The field is missing or unfit, or the body cannot be understood. */
        InvalidRefresh: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["RefreshErrors"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A field is missing or unfit, or the body cannot be understood. */
        InvalidToken: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["AnyTokenErrors"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A field is missing or unfit, or the body cannot be understood. */
        InvalidProduct: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ProductErrors"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description A field is missing or unfit, the body cannot be understood, or the idempotency key is none. */
        InvalidNewProduct: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ProductErrors"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Credentials were sent, and they are bad. Sending none would have been fine. */
        BadCredentials: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Credentials are missing or bad. */
        NotAuthenticated: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                "WWW-Authenticate": components["headers"]["Challenge"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The product belongs to someone else, and the user is not staff. */
        Forbidden: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The service makes no accounts for strangers. */
        RegistrationClosed: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `?format=` asks for a format that does not exist. */
        UnknownFormat: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description There is no such product, or `?format=` asks for a format that does not exist. */
        ProductNotFound: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description What you have is what you would get. */
        NotModified: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                ETag: components["headers"]["ETag"];
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The product is no longer the one that `If-Match` names. Nothing was changed. */
        PreconditionFailed: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description Another request with this idempotency key is being worked on. Try again for its answer. */
        IdempotencyConflict: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description This idempotency key has added a product of other fields. Nothing was added. */
        IdempotencyKeyReused: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The `Accept` header admits no JSON. */
        NotAcceptable: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
            };
        };
        /** @description The body has more bytes than the operation takes: 16,384, or 262,144 where products are written. */
        PayloadTooLarge: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The body is neither JSON nor a form, or does not say what it is. */
        UnsupportedMediaType: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description This was tried too often. Wait as long as `Retry-After` says. */
        Throttled: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                "Retry-After": components["headers"]["ThrottledRetryAfter"];
                RateLimit: components["headers"]["RateLimit"];
                "RateLimit-Policy": components["headers"]["RateLimitPolicy"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description The service cannot reach what it needs for this request, its database for example. Nothing is said about the credentials: keep them. */
        ServiceUnavailable: {
            headers: {
                Allow: components["headers"]["Allow"];
                Vary: components["headers"]["Vary"];
                "X-Request-Id": components["headers"]["RequestId"];
                "Retry-After": components["headers"]["RetryAfter"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorDetail"];
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /**
         * @description The session's id.
         * @example 01a207d9-217b-7c3e-9d21-4f6a8b1c2d3e
         */
        SessionId: string;
        /**
         * @description The product's number.
         * @example 42
         */
        ProductId: number;
        /**
         * @description The `ETag` of an earlier answer, or several with commas between them: where one of them still holds, the
         *     answer is a 304 without a body. Whether a tag is weak does not matter; what is no list of tags matches nothing.
         * @example "NTu0twY6gR5WbTkhJp9g7JQHN4jklq85DBj39YnHp6w"
         */
        IfNoneMatch: string;
        /**
         * @description The `ETag` of the product as you saw it, or several with commas between them, or `*` for any. Where none of
         *     them holds any more, the answer is a 412, and nothing happens. A weak tag, and what is no list of tags,
         *     matches nothing.
         * @example "NTu0twY6gR5WbTkhJp9g7JQHN4jklq85DBj39YnHp6w"
         */
        IfMatch: string;
        /**
         * @description A text of your choice, new for each product that you want, such as a UUID; the same in each retry. In quotes
         *     (RFC 8941) or bare, which makes no difference.
         * @example 8e03978e-40d5-43dd-bc93-6894a57f9324
         */
        IdempotencyKey: string;
    };
    requestBodies: {
        AnyTokenBody: {
            content: {
                "application/json": components["schemas"]["AnyToken"];
                "application/x-www-form-urlencoded": components["schemas"]["AnyToken"];
                "multipart/form-data": components["schemas"]["AnyToken"];
            };
        };
        ProductBody: {
            content: {
                "application/json": components["schemas"]["ProductInput"];
                "application/x-www-form-urlencoded": components["schemas"]["ProductInput"];
                "multipart/form-data": components["schemas"]["ProductInput"];
            };
        };
    };
    headers: {
        /**
         * @description The methods that the path knows, whether or not you may use them.
         * @example GET, POST, HEAD, OPTIONS
         */
        Allow: string;
        /**
         * @description The request headers that the answer depends on, for caches. `/auth/token/` always answers JSON and may leave
         *     it out.
         * @example Accept
         */
        Vary: string;
        /**
         * @description The name of this request, which is in the log of the service too: the `X-Request-Id` of the request where that
         *     is 1 to 128 letters, digits, `.`, `_` and `-`, else a new UUID.
         * @example 7d7a2f0c-5c1e-4b7b-9a55-2f0a1d6e8c43
         */
        RequestId: string;
        /**
         * @description How to authenticate: the challenge of the first configured scheme, `Token` or `Bearer realm="api"`, whichever
         *     scheme was tried.
         * @example Token
         */
        Challenge: string;
        /**
         * @description How to authenticate: the challenge of the first configured scheme of users, or that of HTTP Basic to who used
         *     it.
         */
        AnyChallenge: string;
        /**
         * @description How to authenticate. Always the challenge of the JWT scheme.
         * @example Bearer realm="api"
         */
        BearerChallenge: string;
        /**
         * @description Tokens are not for caches.
         * @example no-store
         */
        NoStore: "no-store";
        /**
         * @description Anybody may keep a copy for five minutes.
         * @example public, max-age=300
         */
        PublicFor5Minutes: "public, max-age=300";
        /**
         * @description How many seconds to wait before trying again.
         * @example 1
         */
        RetryAfter: number;
        /**
         * @description How many seconds to wait before trying again.
         * @example 42
         */
        ThrottledRetryAfter: number;
        /**
         * @description What is left of each limit that the request was counted for (`r`), and the seconds until it is whole again (`t`).
         * @example "guess";r=0;t=42
         */
        RateLimit: string;
        /**
         * @description Those limits, as so many requests (`q`) in so many seconds (`w`).
         * @example "guess";q=10;w=60
         */
        RateLimitPolicy: string;
        /**
         * @description The version of what was sent, in quotes; weak (`W/"…"`) where `Accept` asks for indented JSON. It changes exactly
         *     when the content does.
         */
        ETag: string;
        /**
         * @description Only where an `Idempotency-Key` was sent: `true` where this is the answer to an earlier request with that key,
         *     `false` where this request was the first.
         * @example false
         */
        IdempotencyReplayed: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    hello: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The greeting. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Greeting"];
                };
            };
            400: components["responses"]["MalformedRequest"];
            401: components["responses"]["BadCredentials"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    obtainAuthToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenCredentials"];
                "application/x-www-form-urlencoded": components["schemas"]["TokenCredentials"];
                "multipart/form-data": components["schemas"]["TokenCredentials"];
            };
        };
        responses: {
            /** @description The user's token. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuthToken"];
                };
            };
            /** @description The credentials are wrong, or the body cannot be understood. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialsErrors"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["BadCredentials"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    destroyAuthToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The token is worth nothing from now on. */
            204: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["MalformedRequest"];
            401: components["responses"]["NotAuthenticated"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    rotateAuthToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new token. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuthToken"];
                };
            };
            400: components["responses"]["MalformedRequest"];
            401: components["responses"]["NotAuthenticated"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    registerUser: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Registration"];
                "application/x-www-form-urlencoded": components["schemas"]["Registration"];
                "multipart/form-data": components["schemas"]["Registration"];
            };
        };
        responses: {
            /** @description The account as it was stored. It can log in at once. */
            201: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description A field is missing or unfit, the name is taken, or the body cannot be understood. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RegistrationErrors"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            403: components["responses"]["RegistrationClosed"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    retrieveMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The account. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            400: components["responses"]["MalformedRequest"];
            401: components["responses"]["NotAuthenticated"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    updateMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["AccountPatch"];
                "application/x-www-form-urlencoded": components["schemas"]["AccountPatch"];
                "multipart/form-data": components["schemas"]["AccountPatch"];
            };
        };
        responses: {
            /** @description The account as it is now. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
            /** @description The e-mail address is unfit, or the body cannot be understood. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccountErrors"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["NotAuthenticated"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    setPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
                "application/x-www-form-urlencoded": components["schemas"]["PasswordChange"];
                "multipart/form-data": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description The password is changed. */
            204: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A field is missing, the current password is wrong, the new one is unfit, or the body cannot be understood. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PasswordErrors"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["NotAuthenticated"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
                "application/x-www-form-urlencoded": components["schemas"]["Credentials"];
                "multipart/form-data": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description A new pair of tokens. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenPair"];
                };
            };
            /** @description A field is missing or unfit, or the body cannot be understood. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialsErrors"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No user has this name and password, or the user is inactive. */
            401: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["BearerChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    refreshToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
                "application/x-www-form-urlencoded": components["schemas"]["RefreshRequest"];
                "multipart/form-data": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description A new access token; with rotation, a new refresh token too. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RefreshedTokens"];
                };
            };
            400: components["responses"]["InvalidRefresh"];
            /** @description The refresh token is not, or no longer, good for a new access token. */
            401: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["BearerChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    obtainSlidingToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
                "application/x-www-form-urlencoded": components["schemas"]["Credentials"];
                "multipart/form-data": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description A new sliding token. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SlidingToken"];
                };
            };
            /** @description A field is missing or unfit, or the body cannot be understood. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialsErrors"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No user has this name and password, or the user is inactive. */
            401: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["BearerChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    refreshSlidingToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SlidingToken"];
                "application/x-www-form-urlencoded": components["schemas"]["SlidingToken"];
                "multipart/form-data": components["schemas"]["SlidingToken"];
            };
        };
        responses: {
            /** @description The refreshed token. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SlidingToken"];
                };
            };
            /** @description The field is missing or unfit, or the body cannot be understood. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenErrors"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is not, or no longer, good for another one. */
            401: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["BearerChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    verifyToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VerifyRequest"];
                "application/x-www-form-urlencoded": components["schemas"]["VerifyRequest"];
                "multipart/form-data": components["schemas"]["VerifyRequest"];
            };
        };
        responses: {
            /** @description The token is good. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmptyObject"];
                };
            };
            /** @description The field is missing or unfit, the token is blacklisted, or the body cannot be understood. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TokenErrors"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The token is not good. */
            401: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["BearerChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    blacklistToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["BlacklistRequest"];
                "application/x-www-form-urlencoded": components["schemas"]["BlacklistRequest"];
                "multipart/form-data": components["schemas"]["BlacklistRequest"];
            };
        };
        responses: {
            /** @description The refresh token is blacklisted. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmptyObject"];
                };
            };
            400: components["responses"]["InvalidRefresh"];
            /** @description The refresh token is not good, or is blacklisted already. */
            401: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["BearerChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    listSessions: {
        parameters: {
            query?: {
                /**
                 * @description Where the page starts. Taken from `next` or `previous`, never made by hand.
                 * @example cD0wMWEyMDQ4NS1lMjBlLTdmNTAtODE2Mi03Mzg0OTVhNmI3Yzg=
                 */
                cursor?: string;
                /**
                 * @description How many sessions a page has. More than 100 means 100, unless configured otherwise; what is no positive
                 *     number means the default, 25 unless configured otherwise.
                 * @example 2
                 */
                page_size?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of sessions. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionPage"];
                };
            };
            /** @description The cursor holds a NUL, or the request itself is broken. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BadQuery"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["NotAuthenticated"];
            /** @description The cursor cannot be read, or `?format=` asks for a format that does not exist. */
            404: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    revokeAllSessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RevokeAllRequest"];
                "application/x-www-form-urlencoded": components["schemas"]["RevokeAllRequest"];
                "multipart/form-data": components["schemas"]["RevokeAllRequest"];
            };
        };
        responses: {
            /** @description The sessions have ended. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RevokedSessions"];
                };
            };
            /** @description The field is unfit, or the body cannot be understood. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RevokeAllErrors"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["NotAuthenticated"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    endSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description The session's id.
                 * @example 01a207d9-217b-7c3e-9d21-4f6a8b1c2d3e
                 */
                id: components["parameters"]["SessionId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session has ended. */
            204: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["MalformedRequest"];
            401: components["responses"]["NotAuthenticated"];
            /**
             * @description You have no such session: it is another user's, has ended or expired, or never was. Or `?format=` asks for
             *     a format that does not exist.
             */
            404: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    introspectToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: components["requestBodies"]["AnyTokenBody"];
        responses: {
            /** @description What the token is worth. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["NoStore"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Introspection"];
                };
            };
            400: components["responses"]["InvalidToken"];
            /**
             * @description Credentials are missing or bad. The challenge is that of the first configured scheme of users, but for bad
             *     credentials by HTTP Basic, where it is that of HTTP Basic.
             */
            401: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "WWW-Authenticate": components["headers"]["AnyChallenge"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The user is not staff. */
            403: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    revokeToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: components["requestBodies"]["AnyTokenBody"];
        responses: {
            /** @description The token is good for nothing, now if not before. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EmptyObject"];
                };
            };
            400: components["responses"]["InvalidToken"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    listProducts: {
        parameters: {
            query?: {
                /**
                 * @description The exact name, in the same case.
                 * @example Oak chair
                 */
                name?: string;
                /**
                 * @description A part of the name, in any case.
                 * @example chair
                 */
                name__icontains?: string;
                /**
                 * @description The exact price.
                 * @example 49.90
                 */
                price?: string;
                /**
                 * @description Cheaper than this.
                 * @example 100
                 */
                price__lt?: string;
                /**
                 * @description This price or cheaper.
                 * @example 99.90
                 */
                price__lte?: string;
                /**
                 * @description Dearer than this.
                 * @example 20
                 */
                price__gt?: string;
                /**
                 * @description This price or dearer.
                 * @example 19.90
                 */
                price__gte?: string;
                /**
                 * @description Exactly this many in stock. A fraction is cut off.
                 * @example 12
                 */
                stock?: string;
                /**
                 * @description This many in stock or more. A fraction is cut off.
                 * @example 1
                 */
                stock__gte?: string;
                /**
                 * @description This many in stock or fewer. A fraction is cut off.
                 * @example 50
                 */
                stock__lte?: string;
                /**
                 * @description Words, separated by spaces or commas; each must be part of the name or the description, in any case.
                 *     Quotes keep words together: `"solid oak" chair`.
                 * @example oak chair
                 */
                search?: string;
                /**
                 * @description What to sort by: `name`, `price` or `created_at`, several separated by commas, each with a `-` before it
                 *     for the reverse. Others are dropped. Without any, the newest product (the highest id) comes first.
                 * @example -price,name
                 */
                ordering?: string;
                /**
                 * @description Where the page starts. Taken from `next` or `previous`, never made by hand.
                 * @example cD00MQ==
                 */
                cursor?: string;
                /**
                 * @description How many products a page has. More than 100 means 100, unless configured otherwise; what is no positive
                 *     number means the default, 25 unless configured otherwise.
                 * @example 2
                 */
                page_size?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One page of products. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductPage"];
                };
            };
            /** @description A filter cannot be understood. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BadQuery"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["NotAuthenticated"];
            /** @description The cursor cannot be read, or `?format=` asks for a format that does not exist. */
            404: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorDetail"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    createProduct: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description A text of your choice, new for each product that you want, such as a UUID; the same in each retry. In quotes
                 *     (RFC 8941) or bare, which makes no difference.
                 * @example 8e03978e-40d5-43dd-bc93-6894a57f9324
                 */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: components["requestBodies"]["ProductBody"];
        responses: {
            /** @description The product as it was stored. */
            201: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["ETag"];
                    "Idempotency-Replayed": components["headers"]["IdempotencyReplayed"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            400: components["responses"]["InvalidNewProduct"];
            401: components["responses"]["NotAuthenticated"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            409: components["responses"]["IdempotencyConflict"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    retrieveProduct: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of an earlier answer, or several with commas between them: where one of them still holds, the
                 *     answer is a 304 without a body. Whether a tag is weak does not matter; what is no list of tags matches nothing.
                 * @example "NTu0twY6gR5WbTkhJp9g7JQHN4jklq85DBj39YnHp6w"
                 */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description The product's number.
                 * @example 42
                 */
                id: components["parameters"]["ProductId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The product. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            304: components["responses"]["NotModified"];
            400: components["responses"]["MalformedRequest"];
            401: components["responses"]["NotAuthenticated"];
            404: components["responses"]["ProductNotFound"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    updateProduct: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of the product as you saw it, or several with commas between them, or `*` for any. Where none of
                 *     them holds any more, the answer is a 412, and nothing happens. A weak tag, and what is no list of tags,
                 *     matches nothing.
                 * @example "NTu0twY6gR5WbTkhJp9g7JQHN4jklq85DBj39YnHp6w"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /**
                 * @description The product's number.
                 * @example 42
                 */
                id: components["parameters"]["ProductId"];
            };
            cookie?: never;
        };
        requestBody: components["requestBodies"]["ProductBody"];
        responses: {
            /** @description The product as it is now. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            400: components["responses"]["InvalidProduct"];
            401: components["responses"]["NotAuthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["ProductNotFound"];
            406: components["responses"]["NotAcceptable"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    destroyProduct: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of the product as you saw it, or several with commas between them, or `*` for any. Where none of
                 *     them holds any more, the answer is a 412, and nothing happens. A weak tag, and what is no list of tags,
                 *     matches nothing.
                 * @example "NTu0twY6gR5WbTkhJp9g7JQHN4jklq85DBj39YnHp6w"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /**
                 * @description The product's number.
                 * @example 42
                 */
                id: components["parameters"]["ProductId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The product is deleted. */
            204: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["MalformedRequest"];
            401: components["responses"]["NotAuthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["ProductNotFound"];
            406: components["responses"]["NotAcceptable"];
            412: components["responses"]["PreconditionFailed"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    partialUpdateProduct: {
        parameters: {
            query?: never;
            header?: {
                /**
                 * @description The `ETag` of the product as you saw it, or several with commas between them, or `*` for any. Where none of
                 *     them holds any more, the answer is a 412, and nothing happens. A weak tag, and what is no list of tags,
                 *     matches nothing.
                 * @example "NTu0twY6gR5WbTkhJp9g7JQHN4jklq85DBj39YnHp6w"
                 */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /**
                 * @description The product's number.
                 * @example 42
                 */
                id: components["parameters"]["ProductId"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ProductPatch"];
                "application/x-www-form-urlencoded": components["schemas"]["ProductPatch"];
                "multipart/form-data": components["schemas"]["ProductPatch"];
            };
        };
        responses: {
            /** @description The product as it is now. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
            /** @description A field is unfit, or the body cannot be understood. */
            400: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductErrors"];
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["NotAuthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["ProductNotFound"];
            406: components["responses"]["NotAcceptable"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["Throttled"];
            503: components["responses"]["ServiceUnavailable"];
        };
    };
    getJwks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys; none where tokens are signed with a shared secret. */
            200: {
                headers: {
                    Allow: components["headers"]["Allow"];
                    Vary: components["headers"]["Vary"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    "Cache-Control": components["headers"]["PublicFor5Minutes"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JwkSet"];
                };
            };
            400: components["responses"]["MalformedRequest"];
            404: components["responses"]["UnknownFormat"];
            406: components["responses"]["NotAcceptable"];
            429: components["responses"]["Throttled"];
        };
    };
}

export type AuthenticatedOperationId =
  | 'destroyAuthToken'
  | 'rotateAuthToken'
  | 'retrieveMe'
  | 'updateMe'
  | 'setPassword'
  | 'listSessions'
  | 'revokeAllSessions'
  | 'endSession'
  | 'listProducts'
  | 'createProduct'
  | 'retrieveProduct'
  | 'updateProduct'
  | 'destroyProduct'
  | 'partialUpdateProduct';
