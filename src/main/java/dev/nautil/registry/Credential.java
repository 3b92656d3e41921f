package dev.nautil.registry;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * What a registry knows a user by. Its text does not give the secret away.
 *
 * @param user empty where the secret is an identity token, which OAuth2 calls a refresh token
 */
record Credential(String user, String secret) {
  boolean isIdentityToken() {
    return user.isEmpty();
  }

  /** The value of an Authorization header. */
  String basic() {
    byte[] pair = (user + ":" + secret).getBytes(StandardCharsets.UTF_8);
    return "Basic " + Base64.getEncoder().encodeToString(pair);
  }

  @Override
  public String toString() {
    return "Credential[" + user + "]";
  }
}
