package dev.nautil.registry;

/**
 * A model as a server has it.
 *
 * @param manifest as it came, or as it was made for a repository that has none; the SHA-256 of
 *     these bytes is the model's id
 * @param config the blob that the manifest names so
 * @param artifact what of it is of use here
 * @param source where its other blobs come from
 */
public record RemoteModel(byte[] manifest, byte[] config, ModelLayers artifact, BlobSource source) {
  public Digest id() {
    return Digest.sha256(manifest);
  }
}
