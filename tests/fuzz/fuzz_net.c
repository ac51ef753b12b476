/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* A file of weights: what is read can be used and written. */
#include <stdlib.h>
#include "paper/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct net n;
    if (net_read(span_of(data, size), &n, NULL) != OK) return 0;
    struct net_scratch *s = net_scratch_new(&n);
    float image[NET_PIXELS] = {0}, logits[NET_CLASSES];
    if (s) net_forward(&n, s, image, logits);
    net_scratch_free(s);
    net_release(&n);
    return 0;
}
