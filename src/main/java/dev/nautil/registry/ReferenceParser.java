package dev.nautil.registry;

import dev.nautil.ModelReferenceException;
import dev.nautil.registry.ModelReference.File;
import dev.nautil.registry.ModelReference.HuggingFace;
import dev.nautil.registry.ModelReference.Id;
import dev.nautil.registry.ModelReference.Registry;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The parser of references.
 *
 * <p>Registries' references have the grammar of the OCI distribution specification and of
 * github.com/distribution/reference, which Docker uses, and the defaults of Docker Model Runner.
 * Docker takes {@code Foo/bar} for the model bar of a host Foo; here a host has a dot or a port or
 * is localhost, since such texts are nearly always names from Hugging Face.
 */
final class ReferenceParser {
  /** More than a path has on Linux (PATH_MAX), and than all parts of a reference together. */
  private static final int MAX_LENGTH = 4096;

  private static final int MAX_HOST_LENGTH = 253;

  /** Of a name without its host: RepositoryNameTotalLengthMax of distribution/reference. */
  private static final int MAX_NAME_LENGTH = 255;

  private static final String DOCKER_HUB = "docker.io";

  private static final Pattern SCHEME = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]*://).*");
  private static final Pattern HUGGING_FACE = Pattern.compile("(?i)(?:hf|huggingface)\\.co/");
  private static final Pattern HUGGING_FACE_PARTS =
      Pattern.compile("([^/:]*)/([^/:]*)(?:([/:])(.*))?", Pattern.DOTALL);

  /** The rules of huggingface_hub's validate_repo_id. */
  private static final Pattern HUGGING_FACE_NAME =
      Pattern.compile("(?!.*(?:--|\\.\\.))\\w(?:[\\w.-]{0,94}\\w)?(?<!\\.git)");

  /** What the address of a file's page has before the file's path. */
  private static final Pattern PAGE = Pattern.compile("^(?:(?:blob|resolve)/main/)+");

  private static final Pattern FILE = Pattern.compile("[^\\\\:\\p{Cc}\\p{Cs}]+");
  private static final Pattern BAD_FOLDER = Pattern.compile("(?:^|/)\\.{0,2}(?:/|$)");

  private static final Pattern ID =
      Pattern.compile("(?:sha256:)?([0-9a-f]{12}|[0-9a-f]{64})|sha256:.*", Pattern.DOTALL);

  private static final String LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
  private static final Pattern HOST =
      Pattern.compile("(" + LABEL + "(?:\\." + LABEL + ")*|\\[[A-Fa-f0-9:]+])(?::([0-9]+))?");
  private static final String WORD = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
  private static final Pattern NAME = Pattern.compile(WORD + "(?:/" + WORD + ")*");
  private static final Pattern TAG = Pattern.compile("\\w[\\w.-]{0,127}");
  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}");

  private final String text;

  ReferenceParser(String text) {
    this.text = Objects.requireNonNull(text, "text");
  }

  ModelReference parse() {
    if (text.isBlank()) {
      throw error("it is empty; write a path or a reference such as ai/mistral-nemo");
    }
    if (text.length() > MAX_LENGTH) {
      throw new ModelReferenceException(
          text.substring(0, 60) + "…", "it is longer than " + MAX_LENGTH + " characters");
    }
    if (File.isExplicit(text)) {
      return file(text);
    }
    if (text.regionMatches(true, 0, "file:", 0, 5)) {
      return fileOfUri();
    }
    Matcher scheme = SCHEME.matcher(text);
    if (scheme.matches()) {
      throw error("references have no '" + scheme.group(1) + "'; leave it out");
    }
    Matcher huggingFace = HUGGING_FACE.matcher(text);
    if (huggingFace.lookingAt()) {
      return huggingFace(text.substring(huggingFace.end()));
    }
    if (isGguf(text) || text.indexOf('\\') >= 0) {
      return file(text);
    }
    Matcher id = ID.matcher(text);
    return id.matches() ? id(id.group(1)) : registry();
  }

  private File file(String path) {
    if (path.indexOf('\0') >= 0) {
      throw error("paths have no NUL");
    }
    return new File(path);
  }

  /** RFC 8089, and {@code file:x} and {@code file:./x} for relative paths. */
  private File fileOfUri() {
    URI uri;
    try {
      uri = new URI(text);
    } catch (URISyntaxException e) {
      throw error(
          "it is no URI ("
              + e.getReason()
              + " at index "
              + e.getIndex()
              + "); write the path without 'file:', or other characters as %20 for a space");
    }
    String authority = uri.getRawAuthority();
    if (authority != null && !authority.equalsIgnoreCase("localhost")) {
      throw error("a file of the host '" + authority + "' cannot be opened; write file:///PATH");
    }
    if (text.indexOf('?') >= 0 || text.indexOf('#') >= 0) {
      throw error("a file has neither ? nor #; write %3F or %23 for those of its name");
    }
    String path = uri.isOpaque() ? uri.getSchemeSpecificPart() : uri.getPath();
    if (path.isEmpty()) {
      throw error("it has no path; write file:///PATH");
    }
    // In file:///C:/x the path of Windows begins after the slash.
    boolean hasDrive = path.startsWith("/") && path.length() > 3 && path.charAt(2) == ':';
    return file(hasDrive && File.isExplicit(path.substring(1)) ? path.substring(1) : path);
  }

  private HuggingFace huggingFace(String rest) {
    Matcher parts = HUGGING_FACE_PARTS.matcher(rest);
    if (!parts.matches()) {
      throw error("write hf.co/ORG/REPO, hf.co/ORG/REPO:QUANT or hf.co/ORG/REPO/FILE.gguf");
    }
    String org = huggingFaceName("organisation", parts.group(1));
    String repo = huggingFaceName("repository", parts.group(2));
    String choice = parts.group(4);
    boolean isTag = ":".equals(parts.group(3));
    if (choice == null || (isTag && choice.equals("latest"))) {
      return new HuggingFace(org, repo, null, null);
    }
    if (isTag && !isGguf(choice)) {
      return new HuggingFace(org, repo, tag(choice).toUpperCase(Locale.ROOT), null);
    }
    return new HuggingFace(org, repo, null, huggingFaceFile(choice));
  }

  private String huggingFaceName(String what, String name) {
    if (!HUGGING_FACE_NAME.matcher(name).matches()) {
      throw error(
          "the "
              + what
              + " '"
              + name
              + "' is none of Hugging Face's, which have up to 96 letters, digits and single . _ -"
              + " between them; write hf.co/ORG/REPO or hf.co/ORG/REPO:QUANT");
    }
    return name;
  }

  private String huggingFaceFile(String choice) {
    String path = PAGE.matcher(choice).replaceFirst("");
    if (!isGguf(path) || !FILE.matcher(path).matches() || BAD_FOLDER.matcher(path).find()) {
      throw error(
          "'" + path + "' is no .gguf file of a repository; write hf.co/ORG/REPO/FOLDER/FILE.gguf");
    }
    Matcher part = HuggingFace.PART.matcher(path);
    if (part.matches()) {
      int number = Integer.parseInt(part.group(2));
      if (number < 1 || number > Integer.parseInt(part.group(4))) {
        throw error("there is no part '" + part.group(2) + part.group(3) + "'; parts count from 1");
      }
    }
    return HuggingFace.firstPart(path);
  }

  private Id id(@Nullable String hex) {
    if (hex == null) {
      throw error("after 'sha256:' come 12 or 64 hexadecimal digits, in lower case");
    }
    return new Id(hex);
  }

  private Registry registry() {
    int at = text.indexOf('@');
    String digest = at < 0 ? null : digest(text.substring(at + 1));
    String rest = at < 0 ? text : text.substring(0, at);
    int slash = rest.indexOf('/');
    String host = DOCKER_HUB;
    if (slash > 0 && isHost(rest.substring(0, slash))) {
      host = host(rest.substring(0, slash));
      rest = rest.substring(slash + 1);
    }
    int colon = rest.indexOf(':');
    String name = name(host, colon < 0 ? rest : rest.substring(0, colon));
    if (colon >= 0) {
      return new Registry(host, name, tag(rest.substring(colon + 1)), digest);
    }
    return new Registry(host, name, digest == null ? "latest" : null, digest);
  }

  /** Whether what stands before the first slash is a host, not the first part of the name. */
  private static boolean isHost(String head) {
    return head.indexOf('.') >= 0 || head.indexOf(':') >= 0 || head.equalsIgnoreCase("localhost");
  }

  private String host(String head) {
    // The length first: long repetitions of a group overflow the stack.
    Matcher host = HOST.matcher(head);
    if (head.length() > MAX_HOST_LENGTH || !host.matches() || !isAddress(host.group(1))) {
      throw error(
          "'"
              + head
              + "' is no host; write a domain, an IPv4 address or an [IPv6 address], and :PORT after"
              + " it if one is needed");
    }
    String name = host.group(1).toLowerCase(Locale.ROOT);
    String port = host.group(2);
    if (port == null) {
      return name.equals("index.docker.io") ? DOCKER_HUB : name;
    }
    String digits = port.replaceFirst("^0+", "");
    if (digits.isEmpty() || digits.length() > 5 || Integer.parseInt(digits) > 65535) {
      throw error("the port '" + port + "' is not between 1 and 65535");
    }
    return name + ":" + digits;
  }

  private static boolean isAddress(String host) {
    try {
      // An address in brackets is never looked up.
      return !host.startsWith("[") || InetAddress.getByName(host) != null;
    } catch (UnknownHostException e) {
      return false;
    }
  }

  private String name(String host, String name) {
    if (name.isEmpty()) {
      throw error("it has no name; write one such as ai/mistral-nemo");
    }
    boolean isBare = host.equals(DOCKER_HUB) && name.indexOf('/') < 0;
    String whole = isBare ? "ai/" + name : name;
    if (whole.length() > MAX_NAME_LENGTH) {
      throw error("its name is longer than " + MAX_NAME_LENGTH + " characters");
    }
    if (NAME.matcher(name).matches()) {
      return whole;
    }
    String lower = name.toLowerCase(Locale.ROOT);
    if (NAME.matcher(lower).matches()) {
      boolean isOnHub = host.equals(DOCKER_HUB) && name.matches("[^/]+/[^/]+");
      throw error(
          "the name '"
              + name
              + "' has upper-case letters; write '"
              + lower
              + "'"
              + (isOnHub ? ", or 'hf.co/" + name + "' for Hugging Face" : ""));
    }
    throw error(
        "the name '"
            + name
            + "' must be lower-case letters and digits, with . _ __ or any number of - between"
            + " them, in parts that / divides; write ./ before the path of a file");
  }

  private String tag(String tag) {
    if (!TAG.matcher(tag).matches()) {
      throw error(
          "the tag '"
              + tag
              + "' must be 1 to 128 letters, digits, _ . and -, the first none of . and -; write"
              + " one such as ':latest', or leave out the ':'");
    }
    return tag;
  }

  private String digest(String digest) {
    if (!DIGEST.matcher(digest).matches()) {
      throw error(
          "the digest '"
              + digest
              + "' must be sha256: and 64 or sha512: and 128 hexadecimal digits, in lower case");
    }
    return digest;
  }

  private static boolean isGguf(String text) {
    return text.regionMatches(true, text.length() - 5, ".gguf", 0, 5);
  }

  private ModelReferenceException error(String reason) {
    return new ModelReferenceException(text, reason);
  }
}
