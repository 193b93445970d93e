(** * A finite check decides: unisolvence and sampling

    A trigonometric polynomial of degree at most [K] that vanishes at [2 K + 1] points, no two of
    them equal up to a multiple of [2 pi], has only zero coefficients. So its coefficients are
    unique, and they are recovered from [N >= 2 K + 1] equispaced samples by the discrete Fourier
    transform; [2 K] points do not suffice. *)

From Coq Require Import Reals ZArith Lia Lra List.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly SchwartzZippel.
Import ListNotations.
Local Open Scope C_scope.

(** ** The exponential takes each value once a period *)

Lemma cis_1 t : cis t = 1 -> exists k : Z, t = (2 * IZR k * PI)%R.
Proof.
  intros E. unfold cis, RtoC in E. injection E as Ec Es.
  destruct (sin_eq_0_0 t Es) as [k Hk].
  destruct (Z.Even_or_Odd k) as [[m Hm] | [m Hm]]; subst k.
  - exists m. rewrite Hk, mult_IZR. reflexivity.
  - exfalso. rewrite Hk, plus_IZR, mult_IZR in Ec.
    replace ((2 * IZR m + 1) * PI)%R with (PI + 2 * IZR m * PI)%R in Ec by ring.
    rewrite cos_period_Z, cos_PI in Ec. lra.
Qed.

Lemma cis_inj s t : cis s = cis t -> exists k : Z, s = (t + 2 * IZR k * PI)%R.
Proof.
  intros E. destruct (cis_1 (s - t)) as [k Hk].
  - unfold Rminus. rewrite cis_plus, E, <- cis_plus, Rplus_opp_r. apply cis_0.
  - exists k. lra.
Qed.

(** ** The polynomial behind: [e^(i K x) p(x)] is one of degree [2 K] in [e^(i x)] *)

Notation C_horner := (horner C (RtoC 0) Cplus Cmult).

Lemma C_horner_seq (g : nat -> C) s n z :
  C_horner (map g (seq s n)) z = Csum n (fun j => g (s + j)%nat * Cpow z j).
Proof.
  revert s. induction n as [ | n IH]; intros s; [reflexivity | ].
  rewrite Csum_shift. cbn [seq map horner]. rewrite IH.
  rewrite Nat.add_0_r, <- Csum_scal. cbn [Cpow]. f_equal; [ring | ].
  apply Csum_ext. intros j Hj. replace (s + S j)%nat with (S s + j)%nat by lia. cbn [Cpow]. ring.
Qed.

Lemma trig_poly_horner K c x :
  trig_poly K c x = cis (- (INR K * x)) *
  C_horner (map (fun j => c (Z.of_nat j - Z.of_nat K)%Z) (seq 0 (2 * K + 1))) (cis x).
Proof.
  rewrite C_horner_seq. unfold trig_poly. rewrite <- Csum_scal. apply Csum_ext. intros j Hj.
  rewrite cis_pow, minus_IZR, <- !INR_IZR_INZ. cbn [Nat.add].
  replace ((INR j - INR K) * x)%R with (- (INR K * x) + INR j * x)%R by ring.
  rewrite cis_plus. ring.
Qed.

Lemma C_domain z w : z * w = 0 -> z = 0 \/ w = 0.
Proof.
  intros E. destruct (Ceq_dec z 0) as [H | H]; [now left | right].
  destruct (Ceq_dec w 0) as [H' | H']; [exact H' | ].
  exfalso. exact (Cmult_neq_0 _ _ H H' E).
Qed.

(** ** Unisolvence *)

Theorem unisolvence (K : nat) (c : Z -> C) (x : nat -> R) :
  (forall i j, (i < j <= 2 * K)%nat -> forall m : Z, x j <> (x i + 2 * IZR m * PI)%R) ->
  (forall j, (j <= 2 * K)%nat -> trig_poly K c (x j) = 0) ->
  forall k, (- Z.of_nat K <= k <= Z.of_nat K)%Z -> c k = 0.
Proof.
  intros Hd Hz.
  set (p := map (fun j => c (Z.of_nat j - Z.of_nat K)%Z) (seq 0 (2 * K + 1))).
  set (roots := map (fun j => cis (x j)) (seq 0 (2 * K + 1))).
  assert (Hp : List.Forall (eq (RtoC 0)) p).
  { apply (roots_bound C (RtoC 0) (RtoC 1) Cplus Cmult Cminus Copp C_ring_theory C_domain)
      with (roots := roots).
    - apply (NoDup_nth roots (cis (x 0%nat))). unfold roots. rewrite map_length, seq_length.
      assert (H : forall i j, (i < j)%nat -> (j < 2 * K + 1)%nat -> cis (x i) <> cis (x j)).
      { intros i j Hij Hj E. destruct (cis_inj (x j) (x i)) as [m Hm]; [easy | ].
        apply (Hd i j) with m; [lia | exact Hm]. }
      intros i j Hi Hj E. rewrite !(map_nth (fun j => cis (x j))), !seq_nth in E by lia.
      cbn [Nat.add] in E. destruct (lt_eq_lt_dec i j) as [[L | L] | L]; [ | exact L | ]; exfalso.
      + exact (H i j L Hj E).
      + exact (H j i L Hi (eq_sym E)).
    - intros z Hin. apply in_map_iff in Hin. destruct Hin as (j & <- & Hj). apply in_seq in Hj.
      specialize (Hz j ltac:(lia)). rewrite trig_poly_horner in Hz.
      apply C_domain in Hz. destruct Hz as [Hz | Hz]; [ | exact Hz].
      exfalso. exact (cis_neq_0 _ Hz).
    - unfold p, roots. rewrite !map_length. apply le_n. }
  intros k Hk. rewrite List.Forall_forall in Hp. symmetry. apply Hp. unfold p.
  apply in_map_iff. exists (Z.to_nat (k + Z.of_nat K)). split; [f_equal; lia | ].
  apply in_seq. lia.
Qed.

(** [2 K + 1] equispaced points of a period, with any offset, satisfy the assumption. *)
Lemma equispaced_distinct (N : nat) (t : R) i j (m : Z) : (i < j < N)%nat ->
  (t + 2 * PI * INR j / INR N)%R <> (t + 2 * PI * INR i / INR N + 2 * IZR m * PI)%R.
Proof.
  intros Hij E. assert (HN : (0 < INR N)%R) by (apply lt_0_INR; lia).
  generalize PI_RGT_0. intros HPI.
  assert (E2 : (INR j - INR i = IZR m * INR N)%R).
  { apply Rmult_eq_reg_l with (2 * PI / INR N)%R.
    - apply Rplus_eq_reg_l with (t + 2 * PI * INR i / INR N)%R.
      transitivity (t + 2 * PI * INR j / INR N)%R; [field; lra | rewrite E; field; lra].
    - apply Rgt_not_eq. apply Rdiv_lt_0_compat; lra. }
  rewrite !INR_IZR_INZ, <- minus_IZR, <- mult_IZR in E2. apply eq_IZR in E2.
  assert (Hm : (m <= 0 \/ 1 <= m)%Z) by lia. nia.
Qed.

(** Two trigonometric polynomials that agree everywhere, or at [2 K + 1] equispaced points, have the
    same coefficients. *)
Theorem coefficients_unique (K : nat) (c d : Z -> C) (t : R) :
  (forall j, (j <= 2 * K)%nat ->
     trig_poly K c (t + 2 * PI * INR j / INR (2 * K + 1))
     = trig_poly K d (t + 2 * PI * INR j / INR (2 * K + 1))) ->
  forall k, (- Z.of_nat K <= k <= Z.of_nat K)%Z -> c k = d k.
Proof.
  intros H k Hk.
  assert (E : c k - d k = 0).
  { apply (unisolvence K (fun k => c k - d k)
             (fun j => t + 2 * PI * INR j / INR (2 * K + 1))%R); [ | | exact Hk].
    - intros i j Hij m. apply equispaced_distinct. lia.
    - intros j Hj. rewrite trig_poly_minus, H by exact Hj. ring. }
  replace (c k) with (c k - d k + d k) by ring. rewrite E. ring.
Qed.

(** Values are real everywhere exactly if [c_(-k)] is the conjugate of [c_k]. *)
Theorem real_iff_symmetric (K : nat) (c : Z -> C) :
  (forall x, Im (trig_poly K c x) = 0%R) <->
  (forall k, (- Z.of_nat K <= k <= Z.of_nat K)%Z -> c (- k)%Z = Cconj (c k)).
Proof.
  split; [ | apply trig_poly_real].
  intros H k Hk.
  assert (E : forall k, (- Z.of_nat K <= k <= Z.of_nat K)%Z -> c k = Cconj (c (- k)%Z)).
  { apply (coefficients_unique K c (fun k => Cconj (c (- k)%Z)) 0). intros j Hj.
    rewrite <- trig_poly_conj. symmetry. apply Im_0_conj. apply H. }
  rewrite (E (- k)%Z) by lia. now rewrite Z.opp_involutive.
Qed.

(** The real form: the coefficients of a real trigonometric polynomial with [2 K + 1] zeros in a
    period all vanish. *)
Theorem unisolvence_real (K : nat) (a b : nat -> R) (x : nat -> R) :
  (forall i j, (i < j <= 2 * K)%nat -> forall m : Z, x j <> (x i + 2 * IZR m * PI)%R) ->
  (forall j, (j <= 2 * K)%nat -> rtrig K a b (x j) = 0%R) ->
  (forall k, (k <= K)%nat -> a k = 0%R) /\ (forall k, (1 <= k <= K)%nat -> b k = 0%R).
Proof.
  intros Hd Hz.
  assert (H : forall k, (- Z.of_nat K <= k <= Z.of_nat K)%Z -> complex_coeff a b k = 0).
  { apply (unisolvence K (complex_coeff a b) x Hd). intros j Hj.
    now rewrite <- rtrig_trig_poly, Hz. }
  assert (H2 : forall k, (1 <= k <= K)%nat -> a k = 0%R /\ b k = 0%R).
  { intros k Hk. specialize (H (Z.of_nat k) ltac:(lia)). unfold complex_coeff in H.
    destruct (Z.eq_dec (Z.of_nat k) 0); [lia | ]. destruct (Z_lt_dec 0 (Z.of_nat k)); [ | lia].
    rewrite Nat2Z.id in H. injection H. lra. }
  split; intros k Hk; [ | now apply H2].
  destruct k as [ | k]; [ | apply H2; lia].
  specialize (H 0%Z ltac:(lia)). unfold complex_coeff in H. simpl in H.
  now apply RtoC_inj.
Qed.

Corollary unisolvence_real_everywhere (K : nat) (f : R -> R) (x : nat -> R) :
  is_rtrig K f ->
  (forall i j, (i < j <= 2 * K)%nat -> forall m : Z, x j <> (x i + 2 * IZR m * PI)%R) ->
  (forall j, (j <= 2 * K)%nat -> f (x j) = 0%R) -> forall y, f y = 0%R.
Proof.
  intros (a & b & Hf) Hd Hz y.
  destruct (unisolvence_real K a b x Hd) as [Ha Hb].
  - intros j Hj. rewrite <- Hf. now apply Hz.
  - rewrite Hf. unfold rtrig. rewrite (Rsum_ext _ _ (fun _ => 0%R)); [apply Rsum_0 | ].
    intros k Hk. rewrite Ha by lia. destruct k as [ | k].
    + simpl. rewrite !Rmult_0_l, sin_0. ring.
    + rewrite Hb by lia. ring.
Qed.

(** ** Sampling: the discrete Fourier transform recovers the coefficients *)

Lemma geometric_sum n z : (z - 1) * Csum n (Cpow z) = Cpow z n - 1.
Proof.
  induction n as [ | n IH]; simpl; [ring | ].
  rewrite Cmult_plus_distr_l, IH. ring.
Qed.

(** The [N]-th roots of unity, to a power that is no multiple of [N], add up to zero. *)
Lemma roots_of_unity_sum (N : nat) (m : Z) : (0 < Z.abs m < Z.of_nat N)%Z ->
  Csum N (fun j => cis (IZR m * (2 * PI * INR j / INR N))) = 0.
Proof.
  intros Hm. assert (HN : (0 < INR N)%R) by (apply lt_0_INR; lia).
  set (z := cis (2 * PI * IZR m / INR N)).
  assert (Hz : z - 1 <> 0).
  { intros E. destruct (cis_1 (2 * PI * IZR m / INR N)) as [k Hk].
    - fold z. replace z with (z - 1 + 1) by ring. rewrite E. ring.
    - assert (E2 : IZR m = (IZR k * INR N)%R).
      { apply Rmult_eq_reg_l with (2 * PI / INR N)%R.
        - transitivity (2 * PI * IZR m / INR N)%R; [field; lra | rewrite Hk; field; lra].
        - generalize PI_RGT_0. intros. apply Rgt_not_eq. apply Rdiv_lt_0_compat; lra. }
      rewrite INR_IZR_INZ, <- mult_IZR in E2. apply eq_IZR in E2.
        assert (Hk2 : (k <= -1 \/ k = 0 \/ 1 <= k)%Z) by lia. nia. }
  rewrite (Csum_ext _ _ (Cpow z)).
  - destruct (C_domain (z - 1) (Csum N (Cpow z))) as [E | E]; [ | contradiction | exact E].
    rewrite geometric_sum. unfold z. rewrite cis_pow.
    replace (INR N * (2 * PI * IZR m / INR N))%R with (0 + 2 * IZR m * PI)%R by (field; lra).
    rewrite cis_period_Z, cis_0. ring.
  - intros j Hj. unfold z. rewrite cis_pow. f_equal. field. lra.
Qed.

(** For [N > 2 K] equispaced points with any offset: [c_k] is the mean of [p(x_j) e^(-i k x_j)]. *)
Theorem sampling (K N : nat) (c : Z -> C) (t : R) (k : Z) :
  (2 * K < N)%nat -> (- Z.of_nat K <= k <= Z.of_nat K)%Z ->
  c k = Csum N (fun j => trig_poly K c (t + 2 * PI * INR j / INR N)
                         * cis (- (IZR k * (t + 2 * PI * INR j / INR N)))) / INR N.
Proof.
  intros HN Hk. assert (HN' : (0 < INR N)%R) by (apply lt_0_INR; lia).
  set (x := fun j => (t + 2 * PI * INR j / INR N)%R).
  assert (E : Csum N (fun j => trig_poly K c (x j) * cis (- (IZR k * x j))) = c k * INR N).
  { unfold trig_poly.
    rewrite (Csum_ext N _ (fun j => Csum (2 * K + 1) (fun l =>
      c (Z.of_nat l - Z.of_nat K)%Z * cis (IZR (Z.of_nat l - Z.of_nat K - k) * x j)))).
    2: { intros j Hj. rewrite <- Csum_scal_r. apply Csum_ext. intros l Hl.
         rewrite (minus_IZR _ k).
         replace ((IZR (Z.of_nat l - Z.of_nat K) - IZR k) * x j)%R
           with (IZR (Z.of_nat l - Z.of_nat K) * x j + - (IZR k * x j))%R by ring.
         rewrite cis_plus. ring. }
    rewrite Csum_swap. rewrite (Csum_single _ _ (Z.to_nat (k + Z.of_nat K))).
    - replace (Z.of_nat (Z.to_nat (k + Z.of_nat K)) - Z.of_nat K)%Z with k by lia.
      rewrite Z.sub_diag. rewrite (Csum_ext _ _ (fun _ => RtoC (Re (c k)) + Ci * Im (c k))).
      + rewrite <- C_eta. clear. induction N as [ | n IH]; [simpl; ring | ].
        cbn [Csum]. rewrite IH, S_INR, RtoC_plus. ring.
      + intros j Hj. rewrite Rmult_0_l, cis_0, <- C_eta. ring.
    - lia.
    - intros l Hl Hn. rewrite Csum_scal.
      rewrite (Csum_ext _ _ (fun j => cis (IZR (Z.of_nat l - Z.of_nat K - k) * t)
        * cis (IZR (Z.of_nat l - Z.of_nat K - k) * (2 * PI * INR j / INR N)))).
      + rewrite Csum_scal, roots_of_unity_sum; [ring | lia].
      + intros j Hj. unfold x. now rewrite <- cis_plus, Rmult_plus_distr_l. }
  unfold x in E. cbv beta in E. rewrite E. field. intros F. apply RtoC_inj in F. lra.
Qed.

(** ** Instances with numbers *)

(** [2 K] points do not suffice: [sin(K x)] vanishes on [pi j / K], and not at [pi / (2 K)]. *)
Example two_K_points_do_not_suffice (K : nat) : (0 < K)%nat ->
  (forall j, sin (INR K * (PI * INR j / INR K)) = 0%R) /\ sin (INR K * (PI / (2 * INR K))) = 1%R.
Proof.
  intros HK. assert (0 < INR K)%R by (apply lt_0_INR; lia). split.
  - intros j. replace (INR K * (PI * INR j / INR K))%R with (IZR (Z.of_nat j) * PI)%R
      by (rewrite <- INR_IZR_INZ; field; lra).
    apply sin_eq_0_1. now exists (Z.of_nat j).
  - replace (INR K * (PI / (2 * INR K)))%R with (PI / 2)%R by (field; lra). apply sin_PI2.
Qed.

(** [N = 2 K] samples alias: those of [cos x] at [0] and [pi] give 1 for the coefficient [1/2]. *)
Example aliasing :
  let c := fun k => if Z.eq_dec k 0 then RtoC 0 else RtoC (1 / 2) in
  Csum 2 (fun j => trig_poly 1 c (0 + 2 * PI * INR j / INR 2)
                   * cis (- (IZR 1 * (0 + 2 * PI * INR j / INR 2)))) / INR 2 = 1.
Proof.
  intros c. unfold c. cbn [Csum]. rewrite !trig_poly_cos.
  replace (0 + 2 * PI * INR 0 / INR 2)%R with 0%R by (simpl; field).
  replace (0 + 2 * PI * INR 1 / INR 2)%R with PI by (simpl; field).
  rewrite Rmult_0_r, Ropp_0, Rmult_1_l, cis_0, cis_opp, cos_0, cos_PI.
  unfold cis, Cconj. rewrite cos_PI, sin_PI. simpl fst. simpl snd.
  apply injective_projections; simpl; field.
Qed.
