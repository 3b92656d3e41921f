package dev.nautil;

import java.time.Duration;

/**
 * Where a model's time went: one operation of its passes, in all of them so far.
 *
 * @param name such as "attention"
 * @param calls one a layer and pass; more for what a layer does several times
 * @param time that the decoding thread spent in it, with its helpers or waiting for them
 * @param bytes of weights, keys and values that had to be read
 * @param multiplyAdds of matrix products and attention; 0 for what has none
 */
public record OperationProfile(
    String name, long calls, Duration time, long bytes, long multiplyAdds) {}
