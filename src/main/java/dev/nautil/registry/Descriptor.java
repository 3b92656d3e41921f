package dev.nautil.registry;

import java.util.Map;

/**
 * What a manifest says of a blob.
 *
 * @param size bytes
 */
public record Descriptor(
    String mediaType, Digest digest, long size, Map<String, String> annotations) {
  /** The annotation with the path that a layer's file had when it was packed. */
  public static final String FILE_PATH = "org.cncf.model.filepath";

  public Descriptor {
    annotations = Map.copyOf(annotations);
  }
}
