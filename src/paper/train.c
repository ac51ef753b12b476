/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "paper/train.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include "paper/augment.h"
#include "paper/net_kernel.h"

enum { BATCH = 64, SHARDS = 2, SLOTS = 16, MARKS = NET_CLASSES - CLASS_BLANK };
#define RATE_TOP   2.5e-3
#define RATE_AGAIN 1.2e-3 /* from weights that have already learnt */
#define BOX_BEND   0.55   /* strength of distortion of what a photograph has distorted already */
#define RATE_STEPS 500.0  /* it falls as 1 / sqrt(1 + steps / this) */
#define AVERAGE    4.0    /* what is kept is the mean over about the last fifth of all steps */

/* Of sixteen images: what they are taken from; the rest are drawn marks. */
struct shares {
    unsigned main, foreign, boxes;
};
static struct shares shares_of(const struct train_data *d) {
    return d->boxes.n ? (struct shares){4, 2, 8} : (struct shares){10, 2, 0};
}

struct shard {
    const struct train_options *o;
    const struct train_data *d;
    const struct net *net;
    struct net_scratch *scratch;
    float *grad;
    uint64_t step;
    unsigned number;
    double loss;
};

/* The k-th image of a set in an order that visits each once before any twice. */
static size_t visit(size_t k, size_t n, uint64_t seed) {
    const size_t round = k / n, at = k % n;
    size_t stride = (size_t)(0.381966 * (double)n) + round * 2 + (seed & 1023);
    for (;; stride++) { /* coprime to n */
        size_t a = stride % n, b = n;
        while (a) {
            const size_t t = b % a;
            b = a;
            a = t;
        }
        if (b == 1) break;
    }
    return (at * (stride % n) + round * 7919) % n;
}

static const uint8_t *other_digit(struct rng *r, const struct digit_set *s, int not_label) {
    for (;;) {
        const size_t i = rng_below(r, s->n);
        if (s->label[i] != not_label) return s->image[i];
    }
}

static const struct digit_set *foreign_set(const struct train_data *d, size_t *k) {
    const struct digit_set *have[3];
    size_t n = 0;
    for (int q = 0; q < 3; q++)
        if (d->foreign[q].n) have[n++] = &d->foreign[q];
    if (n == 0) return &d->main;
    const struct digit_set *set = have[*k % n];
    *k /= n;
    return set;
}

/* Sample number i of the whole training: its image and label. */
static int sample(const struct train_options *o, const struct train_data *d, uint64_t i,
                  float *image) {
    struct rng r;
    rng_init_stream(&r, o->seed, i + 1);
    const struct shares s = shares_of(d);
    const uint64_t round = i / SLOTS;
    uint64_t slot = i % SLOTS;
    const struct digit_set *set = &d->main;
    size_t k;
    double bend = 1;
    if (slot < s.main) {
        k = round * s.main + slot;
    } else if ((slot -= s.main) < s.foreign) {
        k = round * s.foreign + slot;
        set = foreign_set(d, &k);
    } else if ((slot -= s.foreign) < s.boxes) {
        k = round * s.boxes + slot;
        set = &d->boxes;
        bend = BOX_BEND;
    } else {
        slot -= s.boxes;
        const unsigned marks = SLOTS - s.main - s.foreign - s.boxes;
        const int class = CLASS_BLANK + (int)((round * marks + slot) % MARKS);
        const size_t a = rng_below(&r, set->n);
        augment_mark(&r, class, set->image[a], other_digit(&r, set, set->label[a]), image);
        return class;
    }
    k = visit(k, set->n, o->seed);
    /* beside boxes, half of the wide hands and half as they are; a box keeps its own hand */
    if (o->wide && (!d->boxes.n || (set != &d->boxes && rng_below(&r, 2))))
        augment_wide(&r, set->image[k], set->label[k], bend, image);
    else
        augment_digit(&r, set->image[k], set->label[k], bend, image);
    return set->label[k];
}

static void *run_shard(void *arg) {
    struct shard *s = arg;
    float image[NET_PIXELS];
    memset(s->grad, 0, s->net->count * sizeof *s->grad);
    s->loss = 0;
    net_gradient_begin(s->net, s->scratch);
    for (unsigned k = 0; k < BATCH / SHARDS; k++) {
        const uint64_t i = s->step * BATCH + s->number * (BATCH / SHARDS) + k;
        const int label = sample(s->o, s->d, i, image);
        s->loss += net_gradient(s->net, s->scratch, image, label, s->grad);
    }
    return NULL;
}

/* The second thread lives as long as the training and meets the first at two barriers a step. */
struct helper {
    struct shard *shard;
    pthread_barrier_t begin, end;
    bool stop;
};

static void *help(void *arg) {
    struct helper *h = arg;
    for (;;) {
        pthread_barrier_wait(&h->begin);
        if (h->stop) return NULL;
        run_shard(h->shard);
        pthread_barrier_wait(&h->end);
    }
}

/* He et al. 2015: variance 2 / inputs. */
static void init_weights(struct net *n, uint64_t seed) {
    struct rng r;
    rng_init(&r, seed);
    for (int k = 0; k < NET_LAYERS; k++) {
        struct net_layer *l = &n->layer[k];
        const size_t in = (size_t)((l->k ? l->k * l->k : 1) * l->in);
        const double sigma = sqrt((k == NET_LAYERS - 1 ? 1.0 : 2.0) / (double)in);
        for (size_t i = 0; i < in * (size_t)l->out; i++) l->w[i] = (float)(rng_normal(&r) * sigma);
    }
}

struct work {
    struct shard shard[SHARDS];
    struct helper helper;
    pthread_t thread;
    bool threaded;
    float *m, *v, *mean; /* Adam's moments; the weights' running mean */
};

static err work_start(struct work *w, const struct train_options *o, const struct train_data *d,
                      const struct net *n, struct fail *f) {
    w->m = calloc(n->count, sizeof *w->m);
    w->v = calloc(n->count, sizeof *w->v);
    w->mean = calloc(n->count, sizeof *w->mean);
    bool good = w->m && w->v && w->mean;
    for (unsigned k = 0; k < SHARDS; k++) {
        w->shard[k] =
            (struct shard){o, d, n, net_scratch_new(n), calloc(n->count, sizeof(float)), 0, k, 0};
        good = good && w->shard[k].scratch && w->shard[k].grad;
    }
    if (!good) return fail_set(f, E_MEMORY, "no memory for the training");
    if (o->threads < 2) return OK;
    w->helper.shard = &w->shard[1];
    if (pthread_barrier_init(&w->helper.begin, NULL, 2) ||
        pthread_barrier_init(&w->helper.end, NULL, 2) ||
        pthread_create(&w->thread, NULL, help, &w->helper))
        return fail_set(f, E_INTERNAL, "a second thread cannot be started: use --threads 1");
    w->threaded = true;
    return OK;
}

static void work_stop(struct work *w) {
    if (w->threaded) {
        w->helper.stop = true;
        pthread_barrier_wait(&w->helper.begin);
        pthread_join(w->thread, NULL);
        pthread_barrier_destroy(&w->helper.begin);
        pthread_barrier_destroy(&w->helper.end);
    }
    for (unsigned k = 0; k < SHARDS; k++) {
        net_scratch_free(w->shard[k].scratch);
        free(w->shard[k].grad);
    }
    free(w->m);
    free(w->v);
    free(w->mean);
}

static double step(struct work *w, uint64_t s) {
    for (unsigned k = 0; k < SHARDS; k++) w->shard[k].step = s;
    if (w->threaded) {
        pthread_barrier_wait(&w->helper.begin);
        run_shard(&w->shard[0]);
        pthread_barrier_wait(&w->helper.end);
    } else {
        for (unsigned k = 0; k < SHARDS; k++) run_shard(&w->shard[k]);
    }
    return (w->shard[0].loss + w->shard[1].loss) / BATCH;
}

/* At first slowly, then ever less; it need not know where it ends. */
static double rate_at(uint64_t s, double top) {
    return top * fmin(1, (double)(s + 1) / 200) / sqrt(1 + (double)s / RATE_STEPS);
}

static void update(struct work *w, struct net *n, uint64_t s, double rate) {
    float *g = w->shard[0].grad;
    const float *h = w->shard[1].grad;
    for (size_t i = 0; i < n->count; i++) g[i] = (g[i] + h[i]) * (1.0f / BATCH);
    const double c1 = 1 - pow(0.9, (double)(s + 1)), c2 = 1 - pow(0.999, (double)(s + 1));
    kernel_adam(n->all, w->m, w->v, g, n->count, (float)(rate * sqrt(c2) / c1), 0.9f, 0.999f,
                1e-3f);
    /* Shamir and Zhang 2013: a mean that leaves the beginning behind as fast as it goes on */
    const float now = (float)((AVERAGE + 1) / (AVERAGE + 1 + (double)s));
    for (size_t i = 0; i < n->count; i++) w->mean[i] += now * (n->all[i] - w->mean[i]);
}

/* Through the file format and back: what stays is what the file holds. */
static err round_weights(struct net *n, struct fail *f) {
    struct buf b;
    buf_init(&b, (size_t)16 << 20);
    err e = net_write(n, &b, f);
    if (e == OK) {
        net_release(n);
        e = net_read(buf_view(&b), n, f);
    }
    buf_release(&b);
    return e;
}

err train_net(const struct train_options *o, const struct train_data *d, struct net *out,
              struct fail *f) {
    if (d->main.n < 100 || o->epochs < 1)
        return fail_set(f, E_RANGE, "training needs at least 100 images and one epoch");
    TRY(net_init(out, o->start ? o->start->shape : o->shape, f));
    if (o->start)
        memcpy(out->all, o->start->all, out->count * sizeof *out->all);
    else
        init_weights(out, o->seed);
    const uint64_t steps = (uint64_t)o->epochs * d->main.n * SLOTS / 10 / BATCH;
    const uint64_t end = o->limit && o->limit < steps ? o->limit : steps;
    struct work w = {0};
    err e = work_start(&w, o, d, out, f);
    double mean = 0;
    for (uint64_t s = 0; e == OK && s < end; s++) {
        const double loss = step(&w, s);
        update(&w, out, s, rate_at(s, o->start ? RATE_AGAIN : RATE_TOP));
        mean = s ? mean * 0.99 + loss * 0.01 : loss;
        if (o->progress) o->progress(o->ctx, s + 1, end, mean);
    }
    if (e == OK) memcpy(out->all, w.mean, out->count * sizeof *out->all);
    work_stop(&w);
    if (e == OK) e = round_weights(out, f);
    if (e != OK) net_release(out);
    return e;
}

static int best_class(const float *logits) {
    int best = 0;
    for (int i = 1; i < NET_CLASSES; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

err train_evaluate(const struct net *n, const struct digit_set *s, size_t *right,
                   size_t *right_digit, struct fail *f) {
    struct net_scratch *t = net_scratch_new(n);
    if (!t) return fail_set(f, E_MEMORY, "no memory for the evaluation");
    *right = *right_digit = 0;
    for (size_t i = 0; i < s->n; i++) {
        float image[NET_PIXELS], logits[NET_CLASSES];
        for (int k = 0; k < NET_PIXELS; k++) image[k] = (float)s->image[i][k] / 255;
        net_forward(n, t, image, logits);
        *right += best_class(logits) == s->label[i];
        int digit = 0;
        for (int k = 1; k < 10; k++)
            if (logits[k] > logits[digit]) digit = k;
        *right_digit += digit == s->label[i];
    }
    net_scratch_free(t);
    return OK;
}

err train_evaluate_marks(const struct net *n, const struct digit_set *digits, int class,
                         uint64_t seed, size_t count, size_t *rejected, struct fail *f) {
    struct net_scratch *t = net_scratch_new(n);
    if (!t) return fail_set(f, E_MEMORY, "no memory for the evaluation");
    *rejected = 0;
    for (size_t i = 0; i < count; i++) {
        struct rng r;
        float image[NET_PIXELS], logits[NET_CLASSES];
        rng_init_stream(&r, seed ^ 0x5eed, i);
        const size_t a = rng_below(&r, digits->n);
        augment_mark(&r, class, digits->image[a], other_digit(&r, digits, digits->label[a]), image);
        net_forward(n, t, image, logits);
        *rejected += best_class(logits) > 9;
    }
    net_scratch_free(t);
    return OK;
}
