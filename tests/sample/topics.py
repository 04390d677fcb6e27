"""What the invented papers are about: a vocabulary per category.

Each topic has subjects, methods, findings and formulas, separated by semicolons; formulas
hold the LaTeX that real abstracts hold. The last field lists what its papers are
cross-listed to.
"""

from typing import NamedTuple


class Topic(NamedTuple):
    """Words that papers of one category are made of."""

    subjects: tuple[str, ...]
    methods: tuple[str, ...]
    findings: tuple[str, ...]
    formulas: tuple[str, ...]
    crosslists: tuple[str, ...]


def _topic(*fields: str) -> Topic:
    return Topic(*(tuple(" ".join(item.split()) for item in field.split(";")) for field in fields))


TOPICS = {
    "math.NT": _topic(
        """Dirichlet $L$-functions; elliptic curves over number fields; prime gaps; modular forms
        of half-integral weight; Diophantine equations; class numbers of quadratic fields;
        Galois representations; partition congruences""",
        """the circle method; Iwasawa theory; a sieve of Selberg type; the Hardy--Littlewood
        method; Hecke operators; $p$-adic interpolation; exponential sum estimates; descent on
        the Selmer group""",
        r"""finitely many rational points; an effective bound on the conductor; infinitely many
        primes in the progression; a zero-free region; a congruence modulo powers of $\ell$;
        the non-vanishing of the central value""",
        r"""$L(1,\chi) \gg q^{-\epsilon}$; $\mathbb{Q}(\sqrt{-d})$; $p \equiv 1 \pmod{4}$;
        $\zeta(s)$ with $\Re(s)>\frac{1}{2}$""",
        "math.AG; math.CO",
    ),
    "math.CO": _topic(
        r"""chromatic numbers of sparse graphs; Ramsey numbers; matroids of low rank; extremal set
        systems; lattice polytopes; perfect matchings in bipartite graphs; Young tableaux;
        Erd\H{o}s--R\'enyi random graphs""",
        r"""the probabilistic method; a bijective argument; Szemer\'edi's regularity lemma;
        generating functions; the polynomial method; flag algebras; a double counting
        argument; the transfer-matrix method""",
        """a tight bound on the independence number; an explicit bijection; a sharp threshold for
        colourability; a counterexample of order twelve; the unimodality of the coefficients;
        a Hamiltonian cycle in every such graph""",
        r"$\binom{n}{k}$; $K_{3,3}$; $R(k,k) \leq 4^{k}$; $\chi(G) \le \Delta(G)+1$",
        "cs.DM; math.PR",
    ),
    "math.PR": _topic(
        """random walks in random environments; Brownian motion with drift; large deviations of
        empirical measures; branching processes; percolation on trees; stochastic differential
        equations; martingales with bounded increments; mixing times of Markov chains""",
        r"""a coupling argument; It\^o's formula; the Malliavin calculus; Stein's method;
        concentration inequalities; a renewal decomposition; Dirichlet forms; an entropy
        estimate""",
        """a central limit theorem; almost sure convergence; a law of the iterated logarithm;
        recurrence in dimension two; a cutoff at the predicted time; uniqueness of the
        stationary distribution""",
        r"""$\mathbb{P}(X_n > t) \sim e^{-\lambda t}$; $W_t$ for $t \in [0,1]$; $n^{-1/2}
        \sum_{i=1}^{n} X_i$; $\mathbb{E}[X^2]<\infty$""",
        "math.CO; math-ph math.MP",
    ),
    "hep-th": _topic(
        """supersymmetric gauge theories; D-branes on orbifolds; the AdS/CFT correspondence;
        string compactifications with flux; conformal field theories; noncommutative field
        theory; black hole microstates; topological strings""",
        """matrix models; localization of the path integral; mirror symmetry; holographic
        renormalization; the conformal bootstrap; integrability of the spin chain; T-duality;
        dimensional reduction""",
        """an exact superpotential; agreement with the dual gravity calculation; a new family of
        supersymmetric vacua; the entropy to all orders; a protected operator spectrum; the
        central charge of the boundary theory""",
        r"""$\mathcal{N}=4$ super Yang--Mills; AdS$_5 \times S^5$; $SU(N)$ at large $N$; $\alpha'$
        corrections""",
        "math-ph math.MP; gr-qc; hep-ph",
    ),
    "hep-ph": _topic(
        """Higgs boson production; neutrino oscillations; rare $B$ meson decays; parton
        distribution functions; dark matter candidates; supersymmetric spectra at colliders;
        CP violation in the kaon system; jets in hadronic collisions""",
        """next-to-leading order QCD; chiral perturbation theory; a global fit; soft-collinear
        effective theory; Monte Carlo event generators; QCD sum rules; renormalization group
        running; factorization theorems""",
        """a cross section larger by ten percent; bounds on the mixing angle; branching ratios
        within reach of the LHC; a lighter stop quark; reduced scale dependence; an excess of
        leptons at high transverse momentum""",
        r"""$t\bar{t}$ pairs at $\sqrt{s}=14$ TeV; $\sin^2 2\theta_{13}$; $\alpha_{s}(M_Z)$; $B
        \to K^{*} \ell^+ \ell^-$""",
        "hep-ex; hep-th",
    ),
    "gr-qc": _topic(
        """gravitational waves from binary inspirals; Kerr black holes; loop quantum cosmology;
        cosmic censorship; spherical gravitational collapse; quasinormal modes; initial data
        on spacelike hypersurfaces; modified theories of gravity""",
        """post-Newtonian expansions; numerical relativity; the Ashtekar variables; matched
        asymptotic expansions; perturbation of the metric; the Hamiltonian constraint; a
        conformal compactification; the geodesic deviation equation""",
        """a bounce instead of the singularity; a trapped surface in finite time; waveforms
        accurate to a tenth of a cycle; stability under axial perturbations; a new exact
        solution; a violation of the energy condition""",
        r"""$ds^2 = -f(r)dt^2 + f(r)^{-1}dr^2$; $10^{-21}$ strain; $\Lambda > 0$; $G_{\mu\nu} =
        8\pi T_{\mu\nu}$""",
        "hep-th; astro-ph",
    ),
    "quant-ph": _topic(
        """entangled photon pairs; quantum key distribution; decoherence of superconducting
        qubits; Bell inequalities; adiabatic quantum computation; quantum error correcting
        codes; trapped ions; entanglement of mixed states""",
        """quantum state tomography; the stabilizer formalism; a master equation of Lindblad
        form; linear optics; weak measurements; semidefinite programming; dynamical
        decoupling; spontaneous parametric down-conversion""",
        """a fidelity above the classical limit; unconditional security; violation of local
        realism; a polynomial number of gates; a longer coherence time; a lower bound on the
        concurrence""",
        r"""$|\psi\rangle = \frac{1}{\sqrt{2}}(|00\rangle + |11\rangle)$; $O(\sqrt{N})$ queries; a
        fidelity of $0.93 \pm 0.02$; $\rho_{AB}$""",
        "cond-mat.mes-hall; cs.IT math.IT",
    ),
    "cond-mat.supr-con": _topic(
        """cuprate superconductors; the pseudogap phase; vortex matter in type-II
        superconductors; MgB$_2$ thin films; iron pnictides; Josephson junction arrays; the
        superfluid density; heavy fermion superconductivity""",
        """angle-resolved photoemission; muon spin rotation; Ginzburg--Landau theory; scanning
        tunnelling microscopy; specific heat measurements; Eliashberg equations; neutron
        scattering; penetration depth measurements""",
        """a nodal gap of $d$-wave symmetry; two distinct energy gaps; a transition temperature
        raised by pressure; pinning of vortices by defects; a linear temperature dependence;
        competition with the spin density wave""",
        r"YBa$_2$Cu$_3$O$_{7-\delta}$; $T_c = 39$ K; $H_{c2}(0)$; $\xi_{ab} \approx 2$ nm",
        "cond-mat.str-el; cond-mat.mtrl-sci",
    ),
    "astro-ph.GA": _topic(
        """dwarf spheroidal galaxies; the metallicity of globular clusters; star formation in
        molecular clouds; active galactic nuclei; the Galactic bulge; spiral arms of nearby
        galaxies; stellar streams in the halo; interstellar dust""",
        """deep spectroscopy; photometry with adaptive optics; hydrodynamical simulations; radio
        interferometry; proper motions; stellar population synthesis; surveys in the near
        infrared; integral field observations""",
        """a velocity dispersion profile that stays flat; two populations of different age; a
        gradient in the abundance of iron; outflows driven by the central source; a
        mass-to-light ratio above one hundred; a higher star formation rate than expected""",
        r"""$10^{6} M_{\odot}$; [Fe/H] $\sim -1.5$; $\sigma_{\rm v} = 9$ km s$^{-1}$; H$\alpha$
        emission at $z \approx 0.03$""",
        "astro-ph.CO; astro-ph.SR",
    ),
    "cs.CL": _topic(
        """statistical machine translation; word sense disambiguation; dependency parsing;
        morphology of agglutinative languages; named entity recognition; automatic
        summarization of news; spoken dialogue systems; coreference resolution""",
        """phrase-based models; hidden Markov models; tree adjoining grammars; conditional random
        fields; distributional similarity; a parallel corpus; n-gram language models; maximum
        entropy tagging""",
        """a gain in BLEU score; accuracy close to human annotators; fewer errors on unknown
        words; better alignment of sentences; state-of-the-art results on the treebank;
        robustness to ungrammatical input""",
        r"""an F-score of $91.2\%$; $P(w_i|w_{i-1})$; over $10^{7}$ tokens; a vocabulary of
        50\,000 words""",
        "cs.AI; cs.IR",
    ),
    "cs.CV": _topic(
        """object recognition in natural images; stereo matching; image segmentation; face
        detection; optical flow; camera calibration; medical image registration; texture
        classification""",
        """graph cuts; active contours; local scale-invariant descriptors; level set evolution; a
        wavelet decomposition; boosted cascades of features; bundle adjustment; nonlinear
        diffusion filters""",
        """sharper object boundaries; detection in real time; robustness to occlusion and
        illumination; fewer false positives per frame; sub-pixel accuracy; segmentation
        without manual initialization""",
        r"""$640 \times 480$ pixels; 25 frames per second; $I(x,y)$; $\lambda \|\nabla u\|_1$""",
        "cs.AI; cs.LG",
    ),
    "cs.LG": _topic(
        """support vector machines; online learning with experts; multi-armed bandits; boosting
        weak classifiers; reinforcement learning; kernel methods for structured data;
        clustering of high-dimensional data; semi-supervised classification""",
        """regret analysis; stochastic gradient descent; Rademacher complexity; convex
        relaxation; spectral clustering; variational inference; cross-validation;
        temporal-difference updates""",
        """a generalization bound that is dimension-free; logarithmic regret; consistency of the
        estimator; lower test error on benchmark data sets; a faster rate of convergence;
        sparse solutions without loss of accuracy""",
        r"""$O(\sqrt{T \log N})$; $k(x,x') = \exp(-\gamma\|x-x'\|^2)$; $n$ examples in
        $\mathbb{R}^{d}$; $\hat{f} \in \mathcal{F}$""",
        "stat.ML; cs.AI",
    ),
    "cs.IT math.IT": _topic(
        """low-density parity-check codes; the capacity of fading channels; MIMO broadcast
        channels; lossy source coding; compressed sensing; network coding; relay channels with
        feedback; polar codes""",
        """belief propagation decoding; dirty paper coding; EXIT charts; random binning;
        interference alignment; water-filling power allocation; successive cancellation;
        superposition coding""",
        """the capacity region to within one bit; a lower error floor; an achievable rate that
        meets the outer bound; the optimal diversity--multiplexing tradeoff; recovery from few
        linear measurements; a gain of 3 dB in signal-to-noise ratio""",
        r"""$\log_2(1+\mathsf{SNR})$; $H(X|Y)$; $\ell_1$ minimization;
        block length $n \to \infty$""",
        "cs.DM; ",
    ),
    "q-bio.NC": _topic(
        """spiking neurons in visual cortex; synaptic plasticity; gamma oscillations in the
        hippocampus; functional connectivity of the brain; place cells; motor control; retinal
        ganglion cells; epileptic seizures""",
        """multi-electrode recordings; integrate-and-fire models; a mean-field description;
        functional magnetic resonance imaging; spike-triggered averaging; attractor networks;
        electroencephalography; information-theoretic measures""",
        """correlated firing across trials; long-term potentiation after pairing; small-world
        organization; a sharper tuning curve; memory capacity proportional to the number of
        neurons; synchrony that precedes the seizure""",
        r"""a firing rate of 40 Hz; $\tau_{\mathrm{m}} = 20$ ms; $V(t) \geq V_{th}$; 1--4\,Hz
        delta waves""",
        "cond-mat.dis-nn; physics.bio-ph",
    ),
}
