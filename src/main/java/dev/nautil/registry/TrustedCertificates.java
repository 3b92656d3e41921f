package dev.nautil.registry;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** The JVM's trusted certificates, and those of a file. */
final class TrustedCertificates {
  private static final Pattern PEM =
      Pattern.compile("-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----");

  private TrustedCertificates() {}

  /** A context that trusts a file's certificates, too; null if the environment names no file. */
  static @Nullable SSLContext context(NetworkSettings settings) throws RegistryException {
    String name = settings.get("NAUTIL_CA_FILE") != null ? "NAUTIL_CA_FILE" : "SSL_CERT_FILE";
    String file = settings.get(name);
    if (file == null) {
      return null;
    }
    try {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      int count = 0;
      for (X509Certificate each : ofJvm()) {
        trusted.setCertificateEntry("jvm-" + count++, each);
      }
      int before = count;
      String text = Files.readString(Path.of(file), StandardCharsets.ISO_8859_1);
      for (Matcher pem = PEM.matcher(text); pem.find(); ) {
        trusted.setCertificateEntry("file-" + count++, certificate(pem.group()));
      }
      if (count == before) {
        throw NetworkSettings.unusable(name, file + " has no certificate in PEM");
      }
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers(trusted), null);
      return context;
    } catch (RegistryException e) {
      throw e;
    } catch (IOException | GeneralSecurityException e) {
      throw NetworkSettings.unusable(name, file + " cannot be used (" + e + ")");
    }
  }

  private static Certificate certificate(String pem) throws GeneralSecurityException {
    return CertificateFactory.getInstance("X.509")
        .generateCertificate(new ByteArrayInputStream(pem.getBytes(StandardCharsets.ISO_8859_1)));
  }

  private static X509Certificate[] ofJvm() throws GeneralSecurityException {
    for (TrustManager each : managers(null)) {
      if (each instanceof X509TrustManager manager) {
        return manager.getAcceptedIssuers();
      }
    }
    return new X509Certificate[0];
  }

  private static TrustManager[] managers(@Nullable KeyStore store) throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory.getTrustManagers();
  }
}
