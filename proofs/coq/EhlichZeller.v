(** * The bound of Ehlich and Zeller

    A real trigonometric polynomial of degree at most [K] that is at most [M] in absolute value on
    [N > 2 K] equispaced points of a period is at most [M / cos(pi K / N)] everywhere; in several
    variables, on a tensor grid, the factors multiply. So finitely many values bound all values.
    The proof goes through M. Riesz's lemma: near a maximum, the polynomial stays above the cosine
    of frequency [K] with the same maximum. *)

From Coq Require Import Reals ZArith Lia Lra.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly Unisolvence.
Local Open Scope R_scope.

(** ** Too many changes of sign *)

(** No real trigonometric polynomial of degree [K] changes its sign [2 K + 1] times between
    [2 K + 2] increasing points of one period: it would have [2 K + 1] zeros there. *)
Lemma no_alternation (K : nat) (f : R -> R) (t : nat -> R) :
  is_rtrig K f ->
  (forall i, (i <= 2 * K)%nat -> t i < t (S i)) -> t (S (2 * K)) <= t 0%nat + 2 * PI ->
  (forall i, (i <= 2 * K)%nat -> f (t i) * f (t (S i)) < 0) -> False.
Proof.
  intros Hf Ht Hper Halt.
  assert (Hz : forall i, {z | (i <= 2 * K)%nat -> (t i < z < t (S i)) /\ f z = 0}).
  { intros i. destruct (le_dec i (2 * K)) as [Hi | Hi]; [ | now exists 0].
    specialize (Ht i Hi). specialize (Halt i Hi).
    destruct (IVT_cor f (t i) (t (S i))) as (z & Hz & Ez); [ | lra | lra | ].
    - now apply is_rtrig_continuous with K.
    - exists z. intros _. split; [ | exact Ez].
      destruct (Req_dec z (t i)) as [-> | N1]; [rewrite Ez in Halt; lra | ].
      destruct (Req_dec z (t (S i))) as [-> | N2]; [rewrite Ez in Halt; lra | ]. lra. }
  set (z := fun i => proj1_sig (Hz i)).
  assert (Hzi : forall i, (i <= 2 * K)%nat -> t i < z i < t (S i) /\ f (z i) = 0)
    by (intros i; exact (proj2_sig (Hz i))).
  clearbody z. clear Hz.
  assert (Hmono : forall i j, (i <= j)%nat -> (j <= S (2 * K))%nat -> t i <= t j).
  { intros i j Hij. induction Hij as [ | j Hij IH]; intros Hj; [lra | ].
    specialize (IH ltac:(lia)). specialize (Ht j ltac:(lia)). lra. }
  assert (E : forall y, f y = 0).
  { apply (unisolvence_real_everywhere K f z Hf); [ | intros j Hj; now apply Hzi].
    intros i j Hij m E.
    assert (H1 := Hzi i ltac:(lia)). assert (H2 := Hzi j ltac:(lia)).
    assert (H3 := Hmono (S i) j ltac:(lia) ltac:(lia)).
    assert (H4 := Hmono 0%nat i ltac:(lia) ltac:(lia)).
    assert (H5 := Hmono (S j) (S (2 * K)) ltac:(lia) ltac:(lia)).
    assert (H6 : 0 < 2 * IZR m * PI < 2 * PI) by lra.
    generalize PI_RGT_0. intros HPI.
    assert (Hm : (m <= 0 \/ 1 <= m)%Z) by lia. destruct Hm as [Hm | Hm]; apply IZR_le in Hm; nra. }
  specialize (Halt 0%nat ltac:(lia)). rewrite !E in Halt. lra.
Qed.

Lemma cos_INR_PI k : cos (INR k * PI) = (-1) ^ k.
Proof.
  induction k as [ | k IH]; [simpl; now rewrite Rmult_0_l, cos_0 | ].
  rewrite S_INR. replace ((INR k + 1) * PI) with (INR k * PI + PI) by ring.
  rewrite neg_cos, IH. simpl. ring.
Qed.

Lemma pow_m1 k : (-1) ^ k = 1 \/ (-1) ^ k = -1.
Proof. induction k as [ | k [IH | IH]]; simpl; [left; ring | right | left]; rewrite IH; ring. Qed.

(** Comparison with a cosine of larger amplitude: while the cosine falls from [A] to [-A], the
    polynomial can't be above it first and below it later. *)
Lemma comparison (K : nat) (p : R -> R) (A t0 u v : R) :
  (1 <= K)%nat -> is_rtrig K p -> (forall x, Rabs (p x) < A) ->
  t0 < u -> u < v -> v < t0 + PI / INR K ->
  A * cos (INR K * (u - t0)) < p u -> p v < A * cos (INR K * (v - t0)) -> False.
Proof.
  intros HK Hp HA H1 H2 H3 Hu Hv.
  assert (HK' : 0 < INR K) by (apply lt_0_INR; lia).
  generalize PI_RGT_0. intros HPI. set (h := PI / INR K) in *.
  assert (Hh : 0 < h) by (apply Rdiv_lt_0_compat; lra).
  assert (HhK : INR K * h = PI) by (unfold h; field; lra). clearbody h.
  set (f := fun x => A * cos (INR K * (x + - t0)) - p x).
  assert (Hf : is_rtrig K f).
  { unfold f. apply is_rtrig_minus; [ | exact Hp].
    exact (is_rtrig_shift K (fun x => A * cos (INR K * x)) (- t0) (is_rtrig_cos K A)). }
  assert (Hk : forall k, 0 < (-1) ^ k * f (t0 + INR k * h)).
  { intros k. unfold f. replace (INR K * (t0 + INR k * h + - t0)) with (INR k * (INR K * h))
      by ring. rewrite HhK.
    rewrite cos_INR_PI. specialize (HA (t0 + INR k * h)). apply Rabs_def2 in HA.
    destruct (pow_m1 k) as [-> | ->]; lra. }
  assert (Hneg : forall k, f (t0 + INR k * h) * f (t0 + INR (S k) * h) < 0).
  { intros k. assert (G1 := Hk k). assert (G2 := Hk (S k)). simpl pow in G2.
    destruct (pow_m1 k) as [E | E]; rewrite E in G1, G2; nra. }
  assert (Hfu : f u < 0) by (unfold f; fold (u - t0); lra).
  assert (Hfv : 0 < f v) by (unfold f; fold (v - t0); lra).
  assert (Hf0 := Hk 0%nat). assert (Hf1 := Hk 1%nat). simpl in Hf0, Hf1.
  rewrite Rmult_0_l, Rplus_0_r in Hf0. rewrite (Rmult_1_l h) in Hf1.
  apply (no_alternation K f (fun i => match i with
    | 0%nat => t0 | 1%nat => u | 2%nat => v | S (S k) => t0 + INR k * h end) Hf).
  - intros [ | [ | [ | i]]] Hi; [exact H1 | exact H2 | simpl; lra | ].
    rewrite (S_INR (S i)). lra.
  - destruct K as [ | k]; [lia | ]. replace (2 * S k)%nat with (S (S (2 * k))) by lia.
    apply Rplus_le_compat_l. apply Rle_trans with (2 * (INR (S k) * h)).
    + rewrite (S_INR (2 * k)), (S_INR k), mult_INR. simpl (INR 2). nra.
    + lra.
  - intros [ | [ | [ | i]]] Hi; [nra | nra | | ].
    { simpl. rewrite Rmult_1_l. nra. }
    apply Hneg.
Qed.

(** ** M. Riesz's lemma *)

Lemma cos_lt_1 x : 0 < x -> x <= PI -> cos x < 1.
Proof. intros H1 H2. rewrite <- cos_0. apply cos_decreasing_1; lra. Qed.

Lemma riesz_right (K : nat) (p : R -> R) (P x0 t : R) :
  (1 <= K)%nat -> is_rtrig K p -> (forall x, Rabs (p x) <= P) -> p x0 = P ->
  0 <= t <= PI / INR K -> P * cos (INR K * t) <= p (x0 + t).
Proof.
  intros HK Hp HP Hx0 Ht.
  assert (HK' : 0 < INR K) by (apply lt_0_INR; lia).
  generalize PI_RGT_0. intros HPI.
  assert (Hlow : forall x, - P <= p x)
    by (intros x; specialize (HP x); apply Rabs_le_between in HP; lra).
  destruct (Rle_lt_dec (P * cos (INR K * t)) (p (x0 + t))) as [L | L]; [exact L | exfalso].
  assert (HP0 : 0 < P).
  { destruct (Rle_lt_dec P 0) as [HP0 | HP0]; [ | exact HP0].
    assert (E : P = 0) by (specialize (Hlow x0); lra).
    specialize (Hlow (x0 + t)). rewrite E in L, Hlow. lra. }
  assert (Ht0 : 0 < t).
  { destruct (Req_dec t 0) as [-> | N]; [ | lra].
    rewrite Rmult_0_r, cos_0, Rplus_0_r in L. lra. }
  assert (Ht1 : t < PI / INR K).
  { destruct (Req_dec t (PI / INR K)) as [-> | N]; [ | lra].
    replace (INR K * (PI / INR K)) with PI in L by (field; lra). rewrite cos_PI in L.
    specialize (Hlow (x0 + PI / INR K)). lra. }
  (* A slightly larger cosine, moved to the left by a small [eta], still is above [p] at [t]. *)
  set (g := fun eta => 2 * P / (1 + cos (INR K * eta)) * cos (INR K * (t + eta)) - p (x0 + t)).
  assert (Hg0 : 0 < g 0).
  { unfold g. rewrite Rmult_0_r, cos_0, Rplus_0_r.
    replace (2 * P / (1 + 1)) with P by field. lra. }
  assert (Hg : continuity_pt g 0).
  { apply continuity_pt_filterlim. apply (ex_derive_continuous (V := R_NormedModule)). unfold g.
    generalize (p (x0 + t)). intros c. auto_derive. rewrite Rmult_0_r, cos_0. lra. }
  destruct (Hg (g 0) Hg0) as (delta & Hdelta & Hclose).
  set (eta := Rmin (delta / 2) (Rmin ((PI / INR K - t) / 2) (PI / (4 * INR K)))).
  assert (B1 : eta <= delta / 2) by apply Rmin_l.
  assert (B2 : eta <= (PI / INR K - t) / 2) by (eapply Rle_trans; [apply Rmin_r | apply Rmin_l]).
  assert (B3 : eta <= PI / (4 * INR K)) by (eapply Rle_trans; [apply Rmin_r | apply Rmin_r]).
  assert (B0 : 0 < eta).
  { unfold eta. repeat apply Rmin_glb_lt; try lra. apply Rdiv_lt_0_compat; lra. }
  clearbody eta.
  assert (Hge : 0 < g eta).
  { specialize (Hclose eta). unfold dist in Hclose. simpl in Hclose. unfold R_dist in Hclose.
    assert (H : Rabs (g eta - g 0) < g 0).
    { apply Hclose. split; [split; [exact I | lra] | ].
      rewrite Rminus_0_r, Rabs_pos_eq; lra. }
    apply Rabs_def2 in H. lra. }
  set (c := cos (INR K * eta)) in *.
  assert (HKe : INR K * eta <= PI / 4).
  { replace (PI / 4) with (INR K * (PI / (4 * INR K))) by (field; lra).
    apply Rmult_le_compat_l; lra. }
  assert (HKe0 : 0 < INR K * eta) by (apply Rmult_lt_0_compat; lra).
  assert (Hc1 : c < 1) by (apply cos_lt_1; lra).
  assert (Hc0 : 0 < c) by (apply cos_gt_0; lra).
  assert (HA : P < 2 * P / (1 + c)).
  { apply Rlt_div_r; [lra | nra]. }
  assert (HAc : 2 * P / (1 + c) * c < P).
  { replace (2 * P / (1 + c) * c) with (2 * P * c / (1 + c)) by (field; lra).
    apply Rlt_div_l; [lra | nra]. }
  apply (comparison K p (2 * P / (1 + c)) (x0 - eta) x0 (x0 + t) HK Hp).
  - intros x. apply Rle_lt_trans with P; [apply HP | exact HA].
  - lra.
  - lra.
  - lra.
  - replace (x0 - (x0 - eta)) with eta by ring. fold c. lra.
  - replace (x0 + t - (x0 - eta)) with (t + eta) by ring. unfold g in Hge. fold c in Hge. lra.
Qed.

(** Where [p] attains the maximum [P] of [|p|], it stays above a cosine of frequency [K]. *)
Theorem riesz_lemma (K : nat) (p : R -> R) (P x0 t : R) :
  (1 <= K)%nat -> is_rtrig K p -> (forall x, Rabs (p x) <= P) -> p x0 = P ->
  Rabs t <= PI / INR K -> P * cos (INR K * t) <= p (x0 + t).
Proof.
  intros HK Hp HP Hx0 Ht. apply Rabs_le_between in Ht.
  destruct (Rle_lt_dec 0 t) as [H | H].
  - apply riesz_right; auto; lra.
  - assert (G := riesz_right K (fun x => p (- x)) P (- x0) (- t) HK).
    cbv beta in G. replace (- (- x0 + - t)) with (x0 + t) in G by ring.
    rewrite <- Ropp_mult_distr_r, cos_neg in G.
    apply G; [now apply is_rtrig_reflect | intros x; apply HP | | lra].
    now rewrite Ropp_involutive.
Qed.

(** ** The bound *)

(** Every real number is in [[0, 2 pi)] up to a multiple of [2 pi]. *)
Lemma reduce_to_period x : exists y k, 0 <= y < 2 * PI /\ x = y + 2 * IZR k * PI.
Proof.
  generalize PI_RGT_0. intros HPI.
  destruct (base_Int_part (x / (2 * PI))) as [H1 H2]. set (k := Int_part (x / (2 * PI))) in *.
  exists (x - 2 * IZR k * PI), k. split; [ | ring].
  assert (E : x = 2 * PI * (x / (2 * PI))) by (field; lra).
  split; rewrite E at 1; nra.
Qed.

(** Some of [N] equispaced points of a period is within [pi / N] of any [x], up to periods. *)
Lemma near_grid_point (N : nat) (t x : R) : (0 < N)%nat ->
  exists (j : nat) (m : Z), (j < N)%nat /\
    Rabs (t + 2 * PI * INR j / INR N + 2 * IZR m * PI - x) <= PI / INR N.
Proof.
  intros HN. assert (HN' : 0 < INR N) by (apply lt_0_INR; lia).
  generalize PI_RGT_0. intros HPI.
  set (r := (x - t) * INR N / (2 * PI)).
  destruct (base_Int_part (r + / 2)) as [H1 H2]. set (n := Int_part (r + / 2)) in *.
  exists (Z.to_nat (n mod Z.of_nat N)), (n / Z.of_nat N)%Z.
  assert (Hmod := Z.mod_pos_bound n (Z.of_nat N) ltac:(lia)). split; [lia | ].
  assert (E : INR (Z.to_nat (n mod Z.of_nat N)) = IZR n - IZR (n / Z.of_nat N) * INR N).
  { rewrite !INR_IZR_INZ, Z2Nat.id by lia. rewrite <- mult_IZR, <- minus_IZR. f_equal.
    rewrite (Z.div_mod n (Z.of_nat N)) at 2 by lia. ring. }
  rewrite E.
  replace (t + 2 * PI * (IZR n - IZR (n / Z.of_nat N) * INR N) / INR N
           + 2 * IZR (n / Z.of_nat N) * PI - x)
    with (2 * PI / INR N * (IZR n - r)) by (unfold r; field; lra).
  rewrite Rabs_mult, Rabs_pos_eq by (apply Rlt_le, Rdiv_lt_0_compat; lra).
  replace (PI / INR N) with (2 * PI / INR N * / 2) by (field; lra).
  apply Rmult_le_compat_l; [apply Rlt_le, Rdiv_lt_0_compat; lra | ].
  apply Rabs_le_between. lra.
Qed.

(** [|p|] attains its maximum. *)
Lemma maximum_attained (K : nat) (p : R -> R) : is_rtrig K p ->
  exists x0, forall x, Rabs (p x) <= Rabs (p x0).
Proof.
  intros Hp. generalize PI_RGT_0. intros HPI.
  destruct (continuity_ab_maj (fun x => Rabs (p x)) 0 (2 * PI)) as (x0 & Hmax & _).
  - lra.
  - intros c _. apply (continuity_pt_comp p Rabs); [ | apply Rcontinuity_abs].
    exact (is_rtrig_continuous K p Hp c).
  - exists x0. intros x. destruct (reduce_to_period x) as (y & k & Hy & ->).
    rewrite (is_rtrig_periodic K p y k Hp). apply Hmax. lra.
Qed.

Lemma grid_factor_positive (K N : nat) : (2 * K < N)%nat -> 0 < cos (PI * INR K / INR N).
Proof.
  intros HN. assert (HN' : 0 < INR N) by (apply lt_0_INR; lia).
  assert (HNK : 2 * INR K < INR N)
    by (apply lt_INR in HN; rewrite mult_INR in HN; simpl in HN; lra).
  generalize PI_RGT_0 (pos_INR K). intros HPI HK.
  assert (Hle : 0 <= PI * INR K / INR N < PI / 2).
  { split; [apply Rle_div_r; nra | apply Rlt_div_l; nra]. }
  apply cos_gt_0; lra.
Qed.

Theorem ehlich_zeller (K N : nat) (p : R -> R) (t M : R) :
  is_rtrig K p -> (2 * K < N)%nat ->
  (forall j, (j < N)%nat -> Rabs (p (t + 2 * PI * INR j / INR N)) <= M) ->
  forall x, Rabs (p x) <= M / cos (PI * INR K / INR N).
Proof.
  intros Hp HN HM. assert (HN' : 0 < INR N) by (apply lt_0_INR; lia).
  generalize PI_RGT_0. intros HPI.
  assert (Hcos := grid_factor_positive K N HN).
  destruct K as [ | k].
  { intros x. assert (HM0 := HM 0%nat ltac:(lia)). destruct Hp as (a & b & Hp).
    rewrite Hp, rtrig_0 in *. simpl INR at 1. unfold Rdiv. rewrite Rmult_0_r, Rmult_0_l, cos_0.
    lra. }
  set (K := S k) in *. assert (HK : (1 <= K)%nat) by (unfold K; lia). clearbody K.
  assert (HK' : 0 < INR K) by (apply lt_0_INR; lia).
  assert (HNK : 2 * INR K < INR N)
    by (apply lt_INR in HN; rewrite mult_INR in HN; simpl in HN; lra).
  (* For a function that is positive where its absolute value is largest. *)
  assert (main : forall q x0, is_rtrig K q -> (forall x, Rabs (q x) <= q x0) ->
    (forall j, (j < N)%nat -> Rabs (q (t + 2 * PI * INR j / INR N)) <= M) ->
    q x0 <= M / cos (PI * INR K / INR N)).
  { intros q x0 Hq Hmax Hgrid. apply Rle_div_r; [exact Hcos | ].
    destruct (near_grid_point N t x0) as (j & m & Hj & Hclose); [lia | ].
    set (tau := t + 2 * PI * INR j / INR N + 2 * IZR m * PI - x0) in *.
    assert (HtK : PI / INR N <= PI / INR K).
    { apply Rmult_le_compat_l; [lra | ]. apply Rinv_le_contravar; lra. }
    assert (R1 := riesz_lemma K q (q x0) x0 tau HK Hq Hmax eq_refl ltac:(lra)).
    assert (R2 : q (x0 + tau) <= M).
    { replace (x0 + tau) with (t + 2 * PI * INR j / INR N + 2 * IZR m * PI) by (unfold tau; ring).
      rewrite (is_rtrig_periodic K q _ m Hq). eapply Rle_trans; [apply Rle_abs | now apply Hgrid]. }
    assert (R3 : cos (PI * INR K / INR N) <= cos (INR K * tau)).
    { assert (E : cos (INR K * tau) = cos (INR K * Rabs tau)).
      { unfold Rabs. destruct (Rcase_abs tau); [ | reflexivity].
        now rewrite <- Ropp_mult_distr_r, cos_neg. }
      rewrite E. assert (B : 0 <= INR K * Rabs tau) by (apply Rmult_le_pos; [lra | apply Rabs_pos]).
      assert (B2 : INR K * Rabs tau <= PI * INR K / INR N).
      { replace (PI * INR K / INR N) with (INR K * (PI / INR N)) by (field; lra).
        apply Rmult_le_compat_l; lra. }
      assert (B3 : PI * INR K / INR N < PI / 2) by (apply Rlt_div_l; nra).
      apply cos_decr_1; lra. }
    assert (Hq0 : 0 <= q x0) by (eapply Rle_trans; [apply Rabs_pos | apply (Hmax x0)]). nra. }
  destruct (maximum_attained K p Hp) as (x0 & Hmax).
  intros x. apply Rle_trans with (Rabs (p x0)); [apply Hmax | ].
  unfold Rabs at 1. destruct (Rcase_abs (p x0)) as [Hneg | Hpos].
  - apply (main (fun x => - p x) x0); [now apply is_rtrig_opp | | ]; cbv beta; intros.
    + rewrite Rabs_Ropp. rewrite <- (Rabs_left (p x0)) by exact Hneg. apply Hmax.
    + rewrite Rabs_Ropp. now apply HM.
  - apply main; [exact Hp | | exact HM].
    intros y. rewrite <- (Rabs_pos_eq (p x0)) by lra. apply Hmax.
Qed.

(** ** Several variables: the factors multiply *)

(** The point [x] with its coordinate [i] replaced by [s]. *)
Definition upd (x : nat -> R) (i : nat) (s : R) : nat -> R :=
  fun j => if Nat.eq_dec j i then s else x j.

(** The product of [cos(pi K_i / N_i)] over [i < m]. *)
Fixpoint grid_factor (K N : nat -> nat) (m : nat) : R :=
  match m with
  | 0%nat => 1
  | S i => grid_factor K N i * cos (PI * INR (K i) / INR (N i))
  end.

(** [f], a function of [m] variables, is a real trigonometric polynomial of degree at most [K i] in
    its variable [i], for any values of the others. *)
Theorem ehlich_zeller_grid (m : nat) (K N : nat -> nat) (f : (nat -> R) -> R)
    (t : nat -> R) (M : R) :
  (forall x y, (forall i, (i < m)%nat -> x i = y i) -> f x = f y) ->
  (forall i x, (i < m)%nat -> is_rtrig (K i) (fun s => f (upd x i s))) ->
  (forall i, (i < m)%nat -> (2 * K i < N i)%nat) ->
  (forall j : nat -> nat, (forall i, (i < m)%nat -> (j i < N i)%nat) ->
     Rabs (f (fun i => t i + 2 * PI * INR (j i) / INR (N i))) <= M) ->
  forall x, Rabs (f x) <= M / grid_factor K N m.
Proof.
  intros Hext Hp HN HM.
  assert (Hpos : forall n, (n <= m)%nat -> 0 < grid_factor K N n).
  { induction n as [ | n IH]; intros Hn; simpl; [lra | ].
    apply Rmult_lt_0_compat; [apply IH; lia | apply grid_factor_positive, HN; lia]. }
  assert (main : forall n, (n <= m)%nat -> forall x (j : nat -> nat),
    (forall i, (n <= i < m)%nat -> (j i < N i)%nat /\
      x i = t i + 2 * PI * INR (j i) / INR (N i)) -> Rabs (f x) <= M / grid_factor K N n).
  { induction n as [ | n IH]; intros Hn x j Hx.
    - simpl. replace (M / 1) with M by field.
      rewrite (Hext x (fun i => t i + 2 * PI * INR (j i) / INR (N i)));
        [apply HM | ]; intros i Hi; apply Hx; lia.
    - assert (Hc := grid_factor_positive (K n) (N n) (HN n ltac:(lia))).
      assert (Hg := Hpos n ltac:(lia)).
      rewrite (Hext x (upd x n (x n))).
      2: { intros i _. unfold upd. destruct (Nat.eq_dec i n) as [-> | _]; reflexivity. }
      simpl. replace (M / (grid_factor K N n * cos (PI * INR (K n) / INR (N n))))
        with (M / grid_factor K N n / cos (PI * INR (K n) / INR (N n))) by (field; lra).
      apply (ehlich_zeller (K n) (N n) (fun s => f (upd x n s)) (t n) (M / grid_factor K N n)).
      + apply Hp. lia.
      + apply HN. lia.
      + intros l Hl. apply (IH ltac:(lia) _ (fun i => if Nat.eq_dec i n then l else j i)).
        intros i Hi. unfold upd. destruct (Nat.eq_dec i n) as [-> | Hin]; [now split | ].
        apply Hx. lia. }
  intros x. apply (main m (le_n m) x (fun _ => 0%nat)). intros i Hi. lia.
Qed.

(** The scalar product of two vectors of [m] entries. *)
Definition dot (m : nat) (w x : nat -> R) : R := Rsum m (fun i => w i * x i).

(** A function of [m] features: the sum over [l < n] of [a_l cos(w_l . x) + b_l sin(w_l . x)]. *)
Definition wave_sum_features (m n : nat) (w : nat -> nat -> R) (a b : nat -> R)
    (x : nat -> R) : R :=
  Rsum n (fun l => a l * cos (dot m (w l) x) + b l * sin (dot m (w l) x)).

Lemma dot_upd m w x j s : (j < m)%nat -> dot m w (upd x j s) = w j * s + (dot m w x - w j * x j).
Proof.
  unfold dot, upd. induction m as [ | m IH]; intros Hj; [lia | ]. cbn [Rsum].
  destruct (Nat.eq_dec m j) as [-> | Hn].
  - rewrite (Rsum_ext j _ (fun i => w i * x i)); [ring | ].
    intros i Hi. destruct (Nat.eq_dec i j); [lia | reflexivity].
  - rewrite IH by lia. ring.
Qed.

(** For whole frequencies, at most [K i] in absolute value along feature [i]: values on a tensor
    grid bound all values. *)
Corollary ehlich_zeller_features (m n : nat) (K N : nat -> nat) (k : nat -> nat -> Z)
    (a b : nat -> R) (t : nat -> R) (M : R) :
  let f := wave_sum_features m n (fun l i => IZR (k l i)) a b in
  (forall l i, (l < n)%nat -> (i < m)%nat -> (Z.abs (k l i) <= Z.of_nat (K i))%Z) ->
  (forall i, (i < m)%nat -> (2 * K i < N i)%nat) ->
  (forall j : nat -> nat, (forall i, (i < m)%nat -> (j i < N i)%nat) ->
     Rabs (f (fun i => t i + 2 * PI * INR (j i) / INR (N i))) <= M) ->
  forall x, Rabs (f x) <= M / grid_factor K N m.
Proof.
  intros f Hk HN HM. apply (ehlich_zeller_grid m K N f t M); [ | | exact HN | exact HM].
  - intros x y Hxy. apply Rsum_ext. intros l _.
    assert (E : dot m (fun i => IZR (k l i)) x = dot m (fun i => IZR (k l i)) y)
      by (apply Rsum_ext; intros i Hi; now rewrite Hxy).
    now rewrite E.
  - intros i x Hi. unfold f, wave_sum_features.
    apply (is_rtrig_Rsum (K i) n (fun l s =>
      a l * cos (dot m (fun i => IZR (k l i)) (upd x i s))
      + b l * sin (dot m (fun i => IZR (k l i)) (upd x i s)))).
    intros l Hl. set (r := dot m (fun i => IZR (k l i)) x - IZR (k l i) * x i).
    apply is_rtrig_ext with (fun s =>
      (a l * cos r + b l * sin r) * cos (IZR (k l i) * s)
      + (b l * cos r - a l * sin r) * sin (IZR (k l i) * s)).
    + intros s. rewrite dot_upd by exact Hi. fold r. rewrite cos_plus, sin_plus. ring.
    + apply is_rtrig_wave. specialize (Hk l i Hl Hi). lia.
Qed.

(** ** Instances with numbers *)

(** [N = 4 K]: the factor is [1 / cos(pi / 4)], the square root of 2, and [cos(K x + pi / 4)]
    attains it: on the grid its absolute value is [cos(pi / 4)] everywhere, and its maximum is 1. *)
Example ehlich_zeller_sharp (K : nat) : (1 <= K)%nat ->
  let p := fun x => cos (INR K * x + PI / 4) in
  is_rtrig K p
  /\ (forall j, Rabs (p (2 * PI * INR j / INR (4 * K))) = cos (PI / 4))
  /\ p (- (PI / 4 / INR K)) = cos (PI / 4) / cos (PI * INR K / INR (4 * K)).
Proof.
  intros HK p. assert (HK' : 0 < INR K) by (apply lt_0_INR; lia).
  assert (E4 : INR (4 * K) = 4 * INR K) by (rewrite mult_INR; simpl; ring).
  assert (Hc : 0 < cos (PI / 4)) by (rewrite cos_PI4; apply Rdiv_lt_0_compat, sqrt_lt_R0; lra).
  rewrite E4. unfold p. split; [ | split].
  - apply is_rtrig_ext with (fun x => 1 * cos (INR K * (x + PI / 4 / INR K))).
    + intros x. rewrite Rmult_1_l. f_equal. field. lra.
    + apply (is_rtrig_shift K (fun x => 1 * cos (INR K * x))), is_rtrig_cos.
  - intros j. replace (INR K * (2 * PI * INR j / (4 * INR K)) + PI / 4)
      with (INR j * (PI / 2) + PI / 4) by (field; lra).
    assert (H : forall j, Rabs (cos (INR j * (PI / 2) + PI / 4)) = cos (PI / 4)
                       /\ Rabs (sin (INR j * (PI / 2) + PI / 4)) = cos (PI / 4)).
    { clear j. induction j as [ | j [IH1 IH2]].
      - simpl. rewrite Rmult_0_l, Rplus_0_l. rewrite sin_PI4, <- cos_PI4.
        split; apply Rabs_pos_eq; lra.
      - rewrite S_INR.
        replace ((INR j + 1) * (PI / 2) + PI / 4) with (PI / 2 + (INR j * (PI / 2) + PI / 4))
          by ring.
        rewrite <- cos_sin. split; [ | exact IH1].
        replace (cos (PI / 2 + (INR j * (PI / 2) + PI / 4)))
          with (- sin (INR j * (PI / 2) + PI / 4)) by (rewrite sin_cos; ring).
        now rewrite Rabs_Ropp. }
    apply H.
  - replace (PI * INR K / (4 * INR K)) with (PI / 4) by (field; lra).
    replace (INR K * - (PI / 4 / INR K) + PI / 4) with 0 by (field; lra).
    rewrite cos_0. field. lra.
Qed.
