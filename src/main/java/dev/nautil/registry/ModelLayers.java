package dev.nautil.registry;

import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The layers of an artifact that are of use here. Others, such as a projector of images, are never
 * fetched.
 *
 * @param config what the publisher says of the model
 * @param weights the parts of a GGUF file, in their order
 * @param template the chat template; null: the file's own
 * @param parameters a {@code generation_config.json}, with defaults for sampling
 */
public record ModelLayers(
    Descriptor config,
    List<Descriptor> weights,
    List<Descriptor> licenses,
    @Nullable Descriptor template,
    @Nullable Descriptor parameters) {
  private static final String DOCKER = "application/vnd.docker.ai.";
  private static final String CNCF = "application/vnd.cncf.model.";

  /** Of licences, templates and parameters. */
  private static final int MAX_TEXT_BYTES = 4 << 20;

  private enum Role {
    WEIGHTS,
    LICENSE,
    TEMPLATE,
    PARAMETERS,
    NONE
  }

  private static final Map<String, Role> ROLES =
      Map.of(
          DOCKER + "gguf.v3", Role.WEIGHTS,
          DOCKER + "license", Role.LICENSE,
          DOCKER + "chat.template.jinja", Role.TEMPLATE,
          CNCF + "weight.v1.gguf", Role.WEIGHTS);

  /** What these hold is known by the names of their files. */
  private static final Set<String> FILES =
      Set.of(
          DOCKER + "model.file",
          CNCF + "weight.v1.raw",
          CNCF + "weight.config.v1.raw",
          CNCF + "doc.v1.raw");

  public ModelLayers {
    weights = List.copyOf(weights);
    licenses = List.copyOf(licenses);
  }

  /**
   * What a manifest has.
   *
   * @param what names it in the error
   * @throws RegistryException if there is no GGUF file in it, or a layer's path leads out of the
   *     folder that it is to be in
   */
  public static ModelLayers of(Manifest manifest, String what) throws IOException {
    List<Descriptor> weights = new ArrayList<>();
    List<Descriptor> licenses = new ArrayList<>();
    Descriptor template = null;
    Descriptor parameters = null;
    for (Descriptor layer : manifest.layers()) {
      switch (role(layer, what)) {
        case WEIGHTS -> weights.add(layer);
        case LICENSE -> licenses.add(layer);
        case TEMPLATE -> template = template == null ? layer : template;
        case PARAMETERS -> parameters = parameters == null ? layer : parameters;
        case NONE -> {}
      }
    }
    if (weights.isEmpty()) {
      Set<String> types = new TreeSet<>();
      manifest.layers().forEach(layer -> types.add(Manifest.brief(layer.mediaType())));
      throw new RegistryException(
          Kind.OTHER,
          what
              + " has no GGUF file, and Nautil runs no other kind of model; it has "
              + types.stream().limit(5).toList()
              + (types.size() > 5 ? " and more" : ""));
    }
    return new ModelLayers(manifest.config(), weights, licenses, template, parameters);
  }

  /** All of it that is to be kept, each blob once. */
  public List<Descriptor> blobs() {
    List<Descriptor> all = new ArrayList<>();
    Set<Digest> seen = new java.util.HashSet<>();
    Stream.of(
            Stream.of(config),
            licenses.stream(),
            Stream.ofNullable(template),
            Stream.ofNullable(parameters),
            weights.stream())
        .flatMap(each -> each)
        .filter(each -> seen.add(each.digest()))
        .forEach(all::add);
    return all;
  }

  /**
   * Refuses what is too large for a licence, a template or parameters.
   *
   * @throws RegistryException if it is
   */
  public static void requireText(Descriptor layer) throws RegistryException {
    if (layer.size() > MAX_TEXT_BYTES) {
      throw new RegistryException(
          Kind.OTHER,
          "a layer of type "
              + layer.mediaType()
              + " has "
              + layer.size()
              + " bytes; it may have "
              + MAX_TEXT_BYTES);
    }
  }

  /** Bytes of the weights. */
  public long weightBytes() {
    return weights.stream().mapToLong(Descriptor::size).sum();
  }

  private static Role role(Descriptor layer, String what) throws IOException {
    String path = layer.annotations().getOrDefault(Descriptor.FILE_PATH, "");
    requireInside(path, what);
    String name = path.substring(path.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
    Role role = ROLES.getOrDefault(layer.mediaType(), Role.NONE);
    if (FILES.contains(layer.mediaType())) {
      role = roleOfFile(name);
    }
    // A projector is a GGUF file, too.
    return role == Role.WEIGHTS && name.contains("mmproj") ? Role.NONE : role;
  }

  private static Role roleOfFile(String name) {
    if (name.endsWith(".gguf")) {
      return Role.WEIGHTS;
    }
    if (name.startsWith("license") || name.startsWith("licence")) {
      return Role.LICENSE;
    }
    if (name.endsWith(".jinja")) {
      return Role.TEMPLATE;
    }
    return name.equals("generation_config.json") ? Role.PARAMETERS : Role.NONE;
  }

  /** Nothing is written under these paths, but who asks for that has no good reason. */
  private static void requireInside(String path, String what) throws IOException {
    boolean climbs = List.of(path.split("[/\\\\]", -1)).contains("..");
    boolean absolute = path.startsWith("/") || path.startsWith("\\") || path.matches("[A-Za-z]:.*");
    if (climbs || absolute || path.indexOf('\0') >= 0) {
      throw new RegistryException(
          Kind.OTHER,
          what
              + " has a layer with the path '"
              + Manifest.brief(path)
              + "', which leads out of the model's folder: it is refused");
    }
  }
}
