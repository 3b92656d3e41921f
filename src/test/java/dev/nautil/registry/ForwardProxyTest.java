package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Clients that are told of a proxy: curl, and the JDK's. */
class ForwardProxyTest {
  private final ForwardProxy proxy = ForwardProxy.start();

  @AfterEach
  void close() {
    proxy.close();
  }

  private Curl.Answer curl(String url, String... more) {
    List<String> arguments = new ArrayList<>(List.of("-x", proxy.url().toString()));
    arguments.addAll(List.of(more));
    arguments.add(url);
    return Curl.run(arguments);
  }

  @Test
  void passesRequestsOn() throws Exception {
    try (DockerRegistry registry = DockerRegistry.start()) {
      String url = registry.url() + "/v2/_catalog?n=5";
      assertTrue(curl(url).ok().text().contains("\"repositories\""));
      ForwardProxy.Request request = proxy.requests().get(0);
      assertEquals("GET", request.method());
      assertEquals(url, request.target());
      assertNull(request.authorization());

      proxy.lead("registry.example:80", registry.host());
      assertEquals(200, curl("http://registry.example/v2/").status());

      int port = proxy.url().getPort();
      HttpClient client =
          HttpClient.newBuilder()
              .proxy(ProxySelector.of(new InetSocketAddress("127.0.0.1", port)))
              .build();
      HttpRequest asked = HttpRequest.newBuilder(URI.create(url)).build();
      HttpResponse<String> answer = client.send(asked, BodyHandlers.ofString());
      assertEquals(200, answer.statusCode());
    }
  }

  @Test
  void tunnels() {
    try (Certificates certificates = Certificates.of("registry.example");
        DockerRegistry registry = DockerRegistry.builder().tls(certificates).start()) {
      String authority = certificates.authority().toString();
      proxy.lead("registry.example:443", registry.host());
      Curl.Answer answer = curl("https://registry.example/v2/", "--cacert", authority).ok();
      assertEquals("{}", answer.text());
      assertEquals(
          List.of(new ForwardProxy.Request("CONNECT", "registry.example:443", null, true)),
          proxy.requests());

      proxy.require("ada", "secret");
      String url = registry.url() + "/v2/";
      assertEquals(56, curl(url, "--cacert", authority).code());
      assertEquals(200, curl(url, "--cacert", authority, "-U", "ada:secret").ok().status());
    }
  }

  @Test
  void asksForCredentials() throws Exception {
    try (DockerRegistry registry = DockerRegistry.start()) {
      proxy.require("ada", "secret");
      String url = registry.url() + "/v2/";
      Curl.Answer refusal = curl(url);
      assertEquals(407, refusal.status());
      assertEquals("Basic realm=\"tests\"", refusal.header("Proxy-Authenticate"));
      assertEquals(407, curl(url, "-U", "ada:wrong").status());
      assertEquals(200, curl(url, "-U", "ada:secret").status());
      assertFalse(proxy.requests().get(1).isAdmitted());
      assertTrue(proxy.requests().get(2).isAdmitted());

      HttpClient client =
          HttpClient.newBuilder()
              .proxy(
                  ProxySelector.of(
                      new InetSocketAddress(proxy.url().getHost(), proxy.url().getPort())))
              .authenticator(
                  new Authenticator() {
                    @Override
                    protected PasswordAuthentication getPasswordAuthentication() {
                      return new PasswordAuthentication("ada", "secret".toCharArray());
                    }
                  })
              .build();
      HttpRequest asked = HttpRequest.newBuilder(URI.create(url)).build();
      assertEquals(200, client.send(asked, BodyHandlers.discarding()).statusCode());
    }
  }

  @Test
  void reachesNothingElse() {
    Curl.Answer answer = curl("http://registry.example/");
    assertEquals(502, answer.status());
    assertEquals("http://registry.example/", proxy.requests().get(0).target());
  }
}
