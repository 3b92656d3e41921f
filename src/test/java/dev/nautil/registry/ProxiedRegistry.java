package dev.nautil.registry;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Docker's registry behind a proxy that errs as it is told, for the tests of a class: what the
 * proxy was told and has counted is forgotten before each.
 */
final class ProxiedRegistry implements BeforeEachCallback, AfterAllCallback {
  final DockerRegistry registry = DockerRegistry.start();
  final FaultProxy proxy = FaultProxy.to(registry.url());

  /** What pushes, past the proxy. */
  final Artifacts artifacts = Artifacts.in(registry);

  @Override
  public void beforeEach(ExtensionContext context) {
    proxy.reset();
  }

  @Override
  public void afterAll(ExtensionContext context) {
    proxy.close();
    registry.close();
  }
}
