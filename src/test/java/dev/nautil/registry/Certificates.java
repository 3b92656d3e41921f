package dev.nautil.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A certificate authority that nobody trusts until told to, and a server's certificate of it; made
 * by OpenSSL, on the curve P-256, for two days.
 */
public final class Certificates implements AutoCloseable {
  private final TemporaryFolder folder = new TemporaryFolder();

  private Certificates(List<String> names) {
    StringBuilder subjects = new StringBuilder("IP:127.0.0.1,IP:::1");
    names.forEach(name -> subjects.append(",DNS:").append(name));
    // Of our own, since distributions' settings add extensions that differ.
    String settings =
        """
        [req]
        distinguished_name = name
        [name]
        [authority]
        basicConstraints = critical,CA:TRUE
        keyUsage = critical,keyCertSign
        subjectKeyIdentifier = hash
        [server]
        basicConstraints = critical,CA:FALSE
        keyUsage = critical,digitalSignature
        extendedKeyUsage = serverAuth
        subjectAltName = %s
        """
            .formatted(subjects);
    folder.write("openssl.cnf", settings.getBytes(StandardCharsets.UTF_8));
    make("authority", "Nautil's tests", List.of());
    make(
        "server",
        "localhost",
        List.of("-CA", authority().toString(), "-CAkey", file("authority.key").toString()));
  }

  /** For localhost, 127.0.0.1, ::1 and these names. */
  public static Certificates of(String... names) {
    List<String> all = new ArrayList<>(List.of("localhost"));
    all.addAll(List.of(names));
    return new Certificates(all);
  }

  private void make(String name, String subject, List<String> signer) {
    List<String> command =
        new ArrayList<>(
            List.of("openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"));
    command.addAll(List.of("-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=" + subject));
    command.addAll(List.of("-config", file("openssl.cnf").toString(), "-extensions", name));
    command.addAll(List.of("-keyout", file(name + ".key").toString()));
    command.addAll(List.of("-out", file(name + ".pem").toString()));
    command.addAll(signer);
    Program.run(command).ok();
  }

  private Path file(String name) {
    return folder.path().resolve(name);
  }

  /** The authority's certificate, in PEM: what a client has to trust. */
  public Path authority() {
    return file("authority.pem");
  }

  /** The server's, in PEM. */
  public Path server() {
    return file("server.pem");
  }

  /** The server's private key, in PEM. */
  public Path serverKey() {
    return file("server.key");
  }

  /** What is between the lines BEGIN and END of a PEM file with one entry. */
  static byte[] decode(Path pem) {
    try {
      return Base64.getMimeDecoder()
          .decode(Files.readString(pem).replaceAll("-----(BEGIN|END) [A-Z ]+-----", ""));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The private key of the authority. */
  PrivateKey authorityKey() {
    try {
      return KeyFactory.getInstance("EC")
          .generatePrivate(new PKCS8EncodedKeySpec(decode(file("authority.key"))));
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    folder.close();
  }
}
