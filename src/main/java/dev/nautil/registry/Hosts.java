package dev.nautil.registry;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.regex.Pattern;

/** Hosts and what is on this machine. */
final class Hosts {
  private static final Pattern ADDRESS =
      Pattern.compile("\\d{1,3}(?:\\.\\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*");

  private Hosts() {}

  /** Whether a host is this machine, by its name or address alone: nothing is looked up. */
  static boolean isLoopback(String host) {
    String bare = withoutBrackets(host);
    if (bare.equalsIgnoreCase("localhost")) {
      return true;
    }
    try {
      // An address is never looked up.
      return isAddress(bare) && InetAddress.getByName(bare).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }

  /** Whether it is written as an IPv4 or IPv6 address. */
  static boolean isAddress(String host) {
    return ADDRESS.matcher(host).matches();
  }

  static String withoutBrackets(String host) {
    return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
  }

  /** Host and port as a reference has them, without the scheme's own port. */
  static String authority(URI uri) {
    int port = uri.getPort();
    boolean standard = port < 0 || port == (uri.getScheme().equals("https") ? 443 : 80);
    return uri.getHost() + (standard ? "" : ":" + port);
  }

  /** Whether an address has all that a request needs, and nothing that the JDK's client refuses. */
  static boolean isUsable(URI uri) {
    return ("https".equals(uri.getScheme()) || "http".equals(uri.getScheme()))
        && uri.getHost() != null
        && uri.getPort() <= 0xffff;
  }

  static boolean isSameOrigin(URI a, URI b) {
    return a.getScheme().equals(b.getScheme()) && authority(a).equalsIgnoreCase(authority(b));
  }

  /** An address for a message: what is after ? may be a signature that lets anyone in. */
  static String printable(URI uri) {
    return uri.getScheme() + "://" + Hosts.authority(uri) + uri.getRawPath();
  }
}
