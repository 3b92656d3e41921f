package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which addresses the environment's proxy is for. */
class ProxiesTest {
  private static boolean isProxied(String url, Map<String, String> environment) {
    Proxies proxies = new Proxies(new NetworkSettings(environment, false));
    return proxies.select(URI.create(url)).get(0).type() == Proxy.Type.HTTP;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "https://a.example/ | example | true",
        "https://example/ | example | true",
        "https://example/ | .example | true",
        "https://badexample/ | example | false",
        "https://a.example:8443/ | a.example:8443 | true",
        "https://a.example/ | a.example:443 | true",
        "http://a.example/ | a.example:443 | false",
        "http://a.example/ | a.example:80 | true",
        "https://A.Example/ | a.eXample | true",
        "https://10.1.2.3/ | 10.0.0.0/8 | true",
        "https://11.1.2.3/ | 10.0.0.0/8 | false",
        "https://10.127.0.1/ | 10.64.0.0/9 | true",
        "https://10.128.0.1/ | 10.64.0.0/9 | false",
        "https://10.1.2.3/ | 10.1.2.3/32 | true",
        "https://10.1.2.3/ | 10.1.2.3 | true",
        "https://10.1.2.3:5000/ | 10.1.2.3:5001 | false",
        "https://10.1.2.3/ | 0.0.0.0/0 | true",
        "https://10.1.2.3/ | 10.0.0.0/33 | false",
        "https://10.1.2.3/ | 10.0.0.0/x | false",
        "https://10.1.2.3/ | host/8 | false",
        "https://host/ | 0.0.0.0/0 | false",
        "https://[fd00::1]/ | fd00::/8 | true",
        "https://[fd00::1]/ | fd00::1 | true",
        "https://[fd00::1]:5000/ | [fd00::1]:5000 | true",
        "https://[fd00::1]:5000/ | [fd00::1]:5001 | false",
        "https://[fe80::1]/ | fd00::/8 | false",
        "https://10.1.2.3/ | fd00::/8 | false",
        "https://a.example/ | b.example, a.example | true",
        "https://a.example/ | b.example a.example | true",
        "https://a.example/ | : / . .. ,, [] a: | false",
        "https://a.example/ | * | true",
      })
  void exempt(String url, String list, boolean exempt) {
    Map<String, String> environment =
        Map.of("HTTPS_PROXY", "http://p:1", "HTTP_PROXY", "http://p:1", "NO_PROXY", list);
    assertEquals(!exempt, isProxied(url, environment));
  }

  @Test
  void lowerCaseComesFirst() {
    Map<String, String> environment =
        Map.of("https_proxy", "http://small:1", "HTTPS_PROXY", "http://LARGE:2");
    Proxies proxies = new Proxies(new NetworkSettings(environment, false));
    Proxy chosen = proxies.select(URI.create("https://a.example/")).get(0);
    assertEquals("small", ((InetSocketAddress) chosen.address()).getHostString());
  }

  /** As curl has it: the scheme's own comes first, and NO_PROXY is for all. */
  @Test
  void oneForAllSchemes() {
    for (String url : new String[] {"http://a.example/", "https://a.example/"}) {
      assertEquals(true, isProxied(url, Map.of("ALL_PROXY", "p:1")));
      assertEquals(true, isProxied(url, Map.of("all_proxy", "p:1")));
      assertEquals(false, isProxied(url, Map.of("ALL_PROXY", "p:1", "NO_PROXY", "example")));
    }
    Map<String, String> environment =
        Map.of("HTTPS_PROXY", "http://own:1", "all_proxy", "http://all:2");
    Proxies proxies = new Proxies(new NetworkSettings(environment, false));
    Proxy own = proxies.select(URI.create("https://a.example/")).get(0);
    assertEquals("own", ((InetSocketAddress) own.address()).getHostString());
    Proxy all = proxies.select(URI.create("http://a.example/")).get(0);
    assertEquals("all", ((InetSocketAddress) all.address()).getHostString());
  }

  @Test
  void eachSchemeHasItsOwn() {
    assertEquals(false, isProxied("http://a.example/", Map.of("HTTPS_PROXY", "p:1")));
    assertEquals(false, isProxied("https://a.example/", Map.of("HTTP_PROXY", "p:1")));
    for (String local : new String[] {"localhost", "127.0.0.1", "127.9.9.9", "[::1]"}) {
      assertEquals(false, isProxied("http://" + local + ":5000/", Map.of("HTTP_PROXY", "p:1")));
    }
  }
}
