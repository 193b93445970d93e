(** * Bernstein's inequality, and bounds of coefficients

    Let [p(x)] be a finite sum of [a_l cos(w_l x) + b_l sin(w_l x)] with any real frequencies
    [|w_l| <= W]. If it is at most [M] in absolute value for all [x], its derivative is at most
    [W M]. For a trigonometric polynomial of degree [K] that is [|p'| <= K M]; for a function of
    several variables it bounds each partial derivative. Each coefficient of a trigonometric
    polynomial is at most [M], too. The proof writes the derivative as a limit of sums of
    differences [p(x + (2k+1) t) - p(x - (2k+1) t)], with the weights of the triangle wave. *)

From Coq Require Import Reals ZArith Lia Lra.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly Unisolvence EhlichZeller.
Local Open Scope R_scope.

(** ** The triangle wave *)

(** The odd number [2 k + 1]. *)
Definition odd (k : nat) : R := 2 * INR k + 1.

(** Partial sums of the triangle wave, of its derivative (a square wave), of the square wave at 0
    ([1 - 1/3 + 1/5 - ...]), and of the wave's value at [pi / 2] ([1 + 1/9 + 1/25 + ...]). *)
Definition triangle (m : nat) (x : R) : R :=
  Rsum m (fun k => (-1) ^ k / odd k ^ 2 * sin (odd k * x)).
Definition square (m : nat) (x : R) : R := Rsum m (fun k => (-1) ^ k / odd k * cos (odd k * x)).
Definition leibniz (m : nat) : R := Rsum m (fun k => (-1) ^ k / odd k).
Definition odd_squares (m : nat) : R := Rsum m (fun k => / odd k ^ 2).

Lemma odd_pos k : 0 < odd k.
Proof. unfold odd. generalize (pos_INR k). lra. Qed.

Lemma odd_S k : odd (S k) = odd k + 2.
Proof. unfold odd. rewrite S_INR. ring. Qed.

Lemma is_derive_Rsum n (f : nat -> R -> R) (df : nat -> R) x :
  (forall k, (k < n)%nat -> is_derive (f k) x (df k)) ->
  is_derive (fun y => Rsum n (fun k => f k y)) x (Rsum n df).
Proof.
  induction n as [ | n IH]; intros H; simpl; [apply @is_derive_const | ].
  apply (is_derive_plus (fun y => Rsum n (fun k => f k y)) (f n));
    [apply IH; intros; apply H; lia | apply H; lia].
Qed.

Lemma is_derive_triangle m x : is_derive (triangle m) x (square m x).
Proof.
  apply is_derive_Rsum. intros k _. assert (Hk := odd_pos k). generalize ((-1) ^ k). intros s.
  auto_derive; [exact I | field; lra].
Qed.

Lemma is_derive_square m x :
  is_derive (square m) x (- Rsum m (fun k => (-1) ^ k * sin (odd k * x))).
Proof.
  rewrite <- Rsum_opp. apply is_derive_Rsum. intros k _. assert (Hk := odd_pos k).
  generalize ((-1) ^ k). intros s. auto_derive; [exact I | field; lra].
Qed.

(** The sum telescopes. *)
Lemma alternating_sines m x :
  2 * cos x * Rsum m (fun k => (-1) ^ k * sin (odd k * x)) = - (-1) ^ m * sin (2 * INR m * x).
Proof.
  induction m as [ | m IH].
  - simpl. rewrite !Rmult_0_r, Rmult_0_l, sin_0. ring.
  - cbn [Rsum]. rewrite Rmult_plus_distr_l, IH.
    replace (2 * INR (S m) * x) with (odd m * x + x) by (unfold odd; rewrite S_INR; ring).
    replace (2 * INR m * x) with (odd m * x - x) by (unfold odd; ring).
    rewrite sin_plus, sin_minus. simpl. ring.
Qed.

(** Left of [pi / 2] the square wave is nearly constant, and the triangle wave nearly linear. *)
Lemma square_near m x x0 : (1 <= m)%nat -> 0 <= x <= x0 -> x0 < PI / 2 ->
  Rabs (square m x - leibniz m) <= / (INR m * cos x0 ^ 2).
Proof.
  intros Hm Hx Hx0.
  assert (Hm' : 1 <= INR m) by (apply (le_INR 1); exact Hm).
  assert (HPI4 := PI_4). assert (HPI := PI_RGT_0).
  set (c0 := cos x0). assert (Hc0 : 0 < c0) by (apply cos_gt_0; lra).
  assert (Hc0' : c0 <= 1) by apply COS_bound.
  assert (Hc : forall y, 0 <= y <= x0 -> c0 <= cos y) by (intros y Hy; apply cos_decr_1; lra).
  set (s := (-1) ^ m). assert (Hs : Rabs s = 1) by apply pow_1_abs.
  set (r := fun y => s * cos (2 * INR m * y) / (4 * INR m * cos y)).
  set (dH := fun y => s * cos (2 * INR m * y) * sin y / (4 * INR m * cos y ^ 2)).
  assert (Hder : forall y, 0 <= y <= x0 -> is_derive (fun y => square m y + r y) y (dH y)).
  { intros y Hy. assert (G := Hc y Hy).
    assert (E : dH y = - Rsum m (fun k => (-1) ^ k * sin (odd k * y))
      + s * (- (2 * INR m) * sin (2 * INR m * y) * (4 * INR m * cos y)
             + cos (2 * INR m * y) * (4 * INR m * sin y)) / (4 * INR m * cos y) ^ 2).
    { assert (T := alternating_sines m y). fold s in T.
      replace (Rsum m (fun k => (-1) ^ k * sin (odd k * y)))
        with (- s * sin (2 * INR m * y) / (2 * cos y)) by (rewrite <- T; field; lra).
      unfold dH. field. lra. }
    rewrite E. apply (is_derive_plus (square m) r); [apply is_derive_square | ].
    unfold r. generalize (INR m) Hm'. intros n Hn. auto_derive; [nra | field; lra]. }
  assert (Hr : forall y, 0 <= y <= x0 -> Rabs (r y) <= / (4 * INR m * c0 ^ 2)).
  { intros y Hy. assert (G := Hc y Hy). unfold r, Rdiv.
    rewrite !Rabs_mult, Hs, Rmult_1_l, Rabs_inv, (Rabs_pos_eq (4 * INR m * cos y)) by nra.
    rewrite <- (Rmult_1_l (/ (4 * INR m * c0 ^ 2))). apply Rmult_le_compat.
    - apply Rabs_pos.
    - apply Rlt_le, Rinv_0_lt_compat. nra.
    - apply Rabs_le_between, COS_bound.
    - apply Rinv_le_contravar; [apply Rmult_lt_0_compat; [lra | apply pow_lt; lra] | ].
      apply Rmult_le_compat_l; [lra | nra]. }
  assert (HdH : forall y, 0 <= y <= x0 -> Rabs (dH y) <= / (4 * INR m * c0 ^ 2)).
  { intros y Hy. assert (G := Hc y Hy). unfold dH, Rdiv.
    rewrite !Rabs_mult, Hs, Rmult_1_l, Rabs_inv.
    rewrite (Rabs_pos_eq (4 * INR m * cos y ^ 2))
      by (apply Rmult_le_pos; [lra | apply pow2_ge_0]).
    rewrite <- (Rmult_1_l (/ (4 * INR m * c0 ^ 2))). apply Rmult_le_compat.
    - apply Rmult_le_pos; apply Rabs_pos.
    - apply Rlt_le, Rinv_0_lt_compat. apply Rmult_lt_0_compat; [lra | apply pow_lt; lra].
    - rewrite <- (Rmult_1_l 1). apply Rmult_le_compat; try apply Rabs_pos;
        apply Rabs_le_between; [apply COS_bound | apply SIN_bound].
    - apply Rinv_le_contravar; [apply Rmult_lt_0_compat; [lra | apply pow_lt; lra] | ].
      apply Rmult_le_compat_l; [lra | apply pow_incr; lra]. }
  destruct (MVT_gen (fun y => square m y + r y) 0 x dH) as (y & Hy & E).
  - intros y Hy. rewrite Rmin_left, Rmax_right in Hy by lra. apply Hder. lra.
  - intros y Hy. rewrite Rmin_left, Rmax_right in Hy by lra. apply continuity_pt_filterlim.
    apply (ex_derive_continuous (V := R_NormedModule) (fun y => square m y + r y) y).
    exists (dH y). exact (Hder y ltac:(lra)).
  - rewrite Rmin_left, Rmax_right in Hy by lra.
    assert (E0 : square m 0 = leibniz m).
    { apply Rsum_ext. intros k _. rewrite Rmult_0_r, cos_0. ring. }
    rewrite E0 in E.
    replace (square m x - leibniz m) with (dH y * x + r 0 - r x) by lra.
    assert (B1 := Hr 0 ltac:(lra)). assert (B2 := Hr x Hx). assert (B3 := HdH y ltac:(lra)).
    set (e := / (4 * INR m * c0 ^ 2)) in *.
    assert (He : / (INR m * c0 ^ 2) = 4 * e).
    { unfold e. field. split; apply Rgt_not_eq; lra. }
    rewrite He.
    assert (B4 : Rabs (dH y * x) <= e * 2).
    { rewrite Rabs_mult, (Rabs_pos_eq x) by lra.
      apply Rmult_le_compat; [apply Rabs_pos | lra | exact B3 | lra]. }
    apply Rabs_le_between in B1. apply Rabs_le_between in B2. apply Rabs_le_between in B4.
    apply Rabs_le_between. lra.
Qed.

Lemma triangle_near m x x0 : (1 <= m)%nat -> Rabs x <= x0 -> x0 < PI / 2 ->
  Rabs (triangle m x - leibniz m * x) <= 2 * / (INR m * cos x0 ^ 2).
Proof.
  intros Hm Hx Hx0.
  assert (HPI4 := PI_4).
  assert (pos : forall x, 0 <= x <= x0 ->
    Rabs (triangle m x - leibniz m * x) <= 2 * / (INR m * cos x0 ^ 2)).
  { clear x Hx. intros x Hx.
    destruct (MVT_gen (fun y => triangle m y - leibniz m * y) 0 x
                (fun y => square m y - leibniz m)) as (y & Hy & E).
    - intros y _. apply (is_derive_minus (triangle m) (fun y => leibniz m * y));
        [apply is_derive_triangle | ]. auto_derive; [exact I | ring].
    - intros y _. apply continuity_pt_filterlim.
      apply (ex_derive_continuous (V := R_NormedModule) (fun y => triangle m y - leibniz m * y) y).
      exists (square m y - leibniz m).
      apply (is_derive_minus (triangle m) (fun y => leibniz m * y));
        [apply is_derive_triangle | ]. auto_derive; [exact I | ring].
    - rewrite Rmin_left, Rmax_right in Hy by lra.
      assert (E0 : triangle m 0 = 0).
      { unfold triangle. rewrite (Rsum_ext _ _ (fun _ => 0)); [apply Rsum_0 | ].
        intros k _. rewrite Rmult_0_r, sin_0. ring. }
      rewrite E0 in E. replace (triangle m x - leibniz m * x)
        with ((square m y - leibniz m) * x) by lra.
      rewrite Rabs_mult, (Rabs_pos_eq x), Rmult_comm by lra.
      apply Rmult_le_compat; [lra | apply Rabs_pos | lra | apply square_near; auto; lra]. }
  destruct (Rle_lt_dec 0 x) as [H | H].
  - apply pos. rewrite Rabs_pos_eq in Hx; lra.
  - rewrite Rabs_left in Hx by exact H.
    replace (triangle m x - leibniz m * x) with (- (triangle m (- x) - leibniz m * - x)).
    + rewrite Rabs_Ropp. apply pos. lra.
    + unfold triangle. rewrite (Rsum_ext m (fun k => (-1) ^ k / odd k ^ 2 * sin (odd k * - x))
        (fun k => - ((-1) ^ k / odd k ^ 2 * sin (odd k * x)))).
      * rewrite Rsum_opp. ring.
      * intros k _. rewrite <- Ropp_mult_distr_r, sin_neg. ring.
Qed.

Lemma one_minus_cos y : 0 <= y -> 0 <= 1 - cos y <= Rmin 2 (y ^ 2 / 2).
Proof.
  intros Hy. assert (B := COS_bound y). split; [lra | ]. apply Rmin_glb; [lra | ].
  replace y with (2 * (y / 2)) at 1 by field. rewrite cos_2a_sin.
  assert (H : Rabs (sin (y / 2)) <= y / 2).
  { apply Rabs_le_between. destruct (Req_dec y 0) as [-> | Hn].
    - replace (0 / 2) with 0 by field. rewrite sin_0. lra.
    - split; [ | apply Rlt_le, sin_lt_x; lra].
      destruct (Rle_lt_dec (y / 2) 1) as [H1 | H1].
      + apply Rle_trans with 0; [lra | ]. apply sin_ge_0; generalize PI2_1; lra.
      + generalize (SIN_bound (y / 2)). lra. }
  assert (H2 : sin (y / 2) * sin (y / 2) <= (y / 2) * (y / 2)).
  { rewrite <- (Rabs_pos_eq (sin (y / 2) * sin (y / 2))) by apply Rle_0_sqr.
    rewrite Rabs_mult. apply Rmult_le_compat; auto using Rabs_pos. }
  replace (y ^ 2 / 2) with (2 * ((y / 2) * (y / 2))) by field. lra.
Qed.

Lemma sin_odd k d : sin (odd k * (PI / 2 - d)) = (-1) ^ k * cos (odd k * d).
Proof.
  replace (odd k * (PI / 2 - d)) with (PI / 2 - (odd k * d - INR k * PI))
    by (unfold odd; field).
  rewrite sin_shift, cos_minus, cos_INR_PI.
  rewrite (sin_eq_0_1 (INR k * PI)); [ring | ].
  exists (Z.of_nat k). now rewrite INR_IZR_INZ.
Qed.

(** The weights add up to hardly more than the wave's value left of its maximum. *)
Lemma odd_squares_near (m n : nat) d : (1 <= n)%nat -> 0 <= d ->
  odd_squares m <= triangle m (PI / 2 - d) + INR n * d ^ 2 / 2 + / (2 * INR n).
Proof.
  intros Hn Hd.
  assert (Hn' : 1 <= INR n) by (apply (le_INR 1); exact Hn).
  set (F := fun m => Rsum m (fun k => / odd k ^ 2 * (1 - cos (odd k * d)))).
  assert (E : forall m, odd_squares m = triangle m (PI / 2 - d) + F m).
  { intros j. unfold odd_squares, triangle, F. rewrite <- Rsum_plus. apply Rsum_ext. intros k _.
    rewrite sin_odd. assert (Hk := odd_pos k).
    replace ((-1) ^ k / odd k ^ 2 * ((-1) ^ k * cos (odd k * d)))
      with (((-1) ^ k * (-1) ^ k) * (/ odd k ^ 2 * cos (odd k * d))) by (field; lra).
    replace ((-1) ^ k * (-1) ^ k) with 1; [ring | ].
    destruct (pow_m1 k) as [-> | ->]; ring. }
  assert (Hsmall : forall k, / odd k ^ 2 * (1 - cos (odd k * d)) <= d ^ 2 / 2).
  { intros k. assert (Hk := odd_pos k).
    assert (B := one_minus_cos (odd k * d) ltac:(nra)). destruct B as [_ B].
    assert (B2 : 1 - cos (odd k * d) <= (odd k * d) ^ 2 / 2)
      by (eapply Rle_trans; [exact B | apply Rmin_r]).
    replace (d ^ 2 / 2) with (/ odd k ^ 2 * ((odd k * d) ^ 2 / 2)) by (field; lra).
    apply Rmult_le_compat_l; [apply Rlt_le, Rinv_0_lt_compat, pow_lt; lra | exact B2]. }
  assert (Hlarge : forall k, (n <= k)%nat ->
    / odd k ^ 2 * (1 - cos (odd k * d)) <= / 2 * (/ INR k - / INR (S k))).
  { intros k Hk. assert (Hk0 := odd_pos k). assert (Hk1 : INR n <= INR k) by now apply le_INR.
    assert (B := COS_bound (odd k * d)).
    apply Rle_trans with (/ odd k ^ 2 * 2).
    - apply Rmult_le_compat_l; [apply Rlt_le, Rinv_0_lt_compat, pow_lt; lra | lra].
    - rewrite S_INR. replace (/ 2 * (/ INR k - / (INR k + 1)))
        with (/ (4 * INR k * (INR k + 1)) * 2) by (field; lra).
      apply Rmult_le_compat_r; [lra | ]. apply Rinv_le_contravar; [nra | unfold odd; nra]. }
  assert (Hn1 : forall j, (j <= n)%nat -> F j <= INR j * d ^ 2 / 2).
  { intros j Hj. unfold F. apply Rle_trans with (Rsum j (fun _ => d ^ 2 / 2)).
    - apply Rsum_le. intros k _. apply Hsmall.
    - rewrite Rsum_const. lra. }
  assert (Hn2 : forall j, (n <= j)%nat -> F j <= INR n * d ^ 2 / 2 + / 2 * (/ INR n - / INR j)).
  { intros j Hj. induction Hj as [ | j Hj IH].
    - specialize (Hn1 n (le_n n)). lra.
    - specialize (Hlarge j Hj). unfold F in *. cbn [Rsum]. lra. }
  rewrite E. rewrite Rinv_mult.
  assert (G0 : 0 < / INR n) by (apply Rinv_0_lt_compat; lra).
  assert (Hd2 : 0 <= d ^ 2) by apply pow2_ge_0.
  destruct (le_dec n m) as [H | H].
  - specialize (Hn2 m H). assert (0 < / INR m).
    { apply Rinv_0_lt_compat. apply lt_0_INR. lia. }
    lra.
  - specialize (Hn1 m ltac:(lia)). assert (INR m <= INR n) by (apply le_INR; lia). nra.
Qed.

Lemma leibniz_even j : (1 <= j)%nat -> 2 / 3 <= leibniz (2 * j).
Proof.
  intros Hj. induction Hj as [ | j Hj IH].
  - unfold leibniz, odd. simpl. lra.
  - replace (2 * S j)%nat with (S (S (2 * j))) by lia.
    unfold leibniz in *. cbn [Rsum]. rewrite pow_1_even. rewrite pow_1_odd.
    assert (H1 := odd_pos (2 * j)). rewrite (odd_S (2 * j)).
    assert (/ (odd (2 * j) + 2) <= / odd (2 * j)) by (apply Rinv_le_contravar; lra). lra.
Qed.

(** All of it together: a kernel, as good as wanted. *)
Lemma kernel eta : 0 < eta -> exists m x0, 1 <= x0 /\ 2 / 3 <= leibniz m
  /\ (forall x, Rabs x <= x0 -> Rabs (triangle m x - leibniz m * x) <= eta)
  /\ odd_squares m <= leibniz m * x0 + eta.
Proof.
  intros He. assert (HPI := PI2_3_2).
  destruct (archimed_cor1 (eta / 2) ltac:(lra)) as (n & Hn & Hn0).
  assert (Hn' : 1 <= INR n) by (apply (le_INR 1); lia).
  set (d := / (2 * INR n)).
  assert (Hd : 0 < d) by (apply Rinv_0_lt_compat; lra).
  assert (Hdn : INR n * d = / 2) by (unfold d; field; lra).
  assert (Hd1 : d <= / 2) by nra.
  assert (Hd2 : INR n * d ^ 2 / 2 + / (2 * INR n) <= eta / 2 + 0).
  { fold d. replace (INR n * d ^ 2 / 2) with ((INR n * d) * d / 2) by field. rewrite Hdn.
    assert (d = / 2 * / INR n) by (unfold d; field; lra). lra. }
  set (x0 := PI / 2 - d). assert (Hx0 : x0 < PI / 2) by (unfold x0; lra).
  assert (Hc : 0 < cos x0) by (apply cos_gt_0; unfold x0; lra).
  set (c2 := cos x0 ^ 2). assert (Hc2 : 0 < c2) by (apply pow_lt; exact Hc).
  destruct (archimed_cor1 (eta / 4 * c2)) as (j & Hj & Hj0).
  { apply Rmult_lt_0_compat; lra. }
  assert (Hj' : 1 <= INR j) by (apply (le_INR 1); lia).
  assert (Hm : 2 * / (INR (2 * j) * c2) <= eta / 2).
  { rewrite mult_INR. simpl (INR 2).
    replace (2 * / ((1 + 1) * INR j * c2)) with (/ INR j / c2) by (field; lra).
    apply Rle_div_l; [exact Hc2 | nra]. }
  exists (2 * j)%nat, x0. split; [unfold x0; lra | ].
  split; [apply leibniz_even; lia | ].
  assert (near : forall x, Rabs x <= x0 ->
    Rabs (triangle (2 * j) x - leibniz (2 * j) * x) <= eta / 2).
  { intros x Hx.
    eapply Rle_trans; [apply (triangle_near _ x x0); [lia | exact Hx | exact Hx0] | ].
    exact Hm. }
  split; [intros x Hx; specialize (near x Hx); lra | ].
  assert (G := odd_squares_near (2 * j) n d ltac:(lia) ltac:(lra)). fold x0 in G.
  assert (B := near x0). rewrite Rabs_pos_eq in B by (unfold x0; lra).
  specialize (B (Rle_refl _)). apply Rabs_le_between in B. lra.
Qed.

(** ** Bernstein's inequality for any real frequencies *)

(** The sum over [l < n] of [a_l cos(w_l x) + b_l sin(w_l x)]. *)
Definition wave_sum (n : nat) (w a b : nat -> R) (x : R) : R :=
  Rsum n (fun l => a l * cos (w l * x) + b l * sin (w l * x)).

Lemma is_derive_wave_sum n w a b x :
  is_derive (wave_sum n w a b) x (wave_sum n w (fun l => w l * b l) (fun l => - (w l * a l)) x).
Proof.
  apply is_derive_Rsum. intros l _. generalize (w l) (a l) (b l). intros v c d.
  auto_derive; [exact I | ring].
Qed.

(** A weighted sum of differences of [p] is a sum of triangle waves at its frequencies. *)
Lemma differences n w a b m x tau :
  Rsum m (fun k => (-1) ^ k / odd k ^ 2
    * (wave_sum n w a b (x + odd k * tau) - wave_sum n w a b (x - odd k * tau)))
  = 2 * Rsum n (fun l => (b l * cos (w l * x) - a l * sin (w l * x)) * triangle m (w l * tau)).
Proof.
  rewrite <- Rsum_scal. unfold triangle.
  rewrite (Rsum_ext n _ (fun l => Rsum m (fun k =>
    2 * (b l * cos (w l * x) - a l * sin (w l * x))
    * ((-1) ^ k / odd k ^ 2 * sin (odd k * (w l * tau)))))).
  2: { intros l _. rewrite Rsum_scal. ring. }
  rewrite Rsum_swap. apply Rsum_ext. intros k _. unfold wave_sum.
  unfold Rminus at 1. rewrite <- Rsum_opp, <- Rsum_plus, <- Rsum_scal. apply Rsum_ext. intros l _.
  replace (w l * (x + odd k * tau)) with (w l * x + odd k * (w l * tau)) by ring.
  replace (w l * (x - odd k * tau)) with (w l * x - odd k * (w l * tau)) by ring.
  rewrite cos_plus, cos_minus, sin_plus, sin_minus. ring.
Qed.

Theorem bernstein (n : nat) (w a b : nat -> R) (W M : R) :
  0 <= W -> (forall l, (l < n)%nat -> Rabs (w l) <= W) ->
  (forall x, Rabs (wave_sum n w a b x) <= M) ->
  forall x d, is_derive (wave_sum n w a b) x d -> Rabs d <= W * M.
Proof.
  intros HW0 Hw HM x d Hd.
  set (e := fun l => b l * cos (w l * x) - a l * sin (w l * x)).
  assert (Ed : d = Rsum n (fun l => e l * w l)).
  { apply is_derive_unique in Hd. rewrite <- Hd.
    rewrite (is_derive_unique _ _ _ (is_derive_wave_sum n w a b x)). apply Rsum_ext.
    intros l _. unfold e. ring. }
  assert (HM0 : 0 <= M) by (eapply Rle_trans; [apply Rabs_pos | apply (HM 0)]).
  destruct (Req_dec W 0) as [HW | HW].
  { (* no frequency but zero *)
    rewrite Ed, (Rsum_ext _ _ (fun _ => 0)); [rewrite Rsum_0, Rabs_R0, HW; lra | ]. intros l Hl.
    specialize (Hw l Hl). assert (P := Rabs_pos (w l)).
    assert (Z : w l = 0) by (apply Rabs_eq_0; lra). rewrite Z. ring. }
  assert (HWp : 0 < W) by lra. clear HW HW0.
  apply le_epsilon. intros eps Heps.
  set (E := Rsum n (fun l => Rabs (e l))).
  assert (HE : 0 <= E).
  { unfold E. rewrite <- (Rsum_0 n). apply Rsum_le. intros l _. apply Rabs_pos. }
  set (eta := eps / (3 / 2 * W * (M + E + 1))).
  assert (Hden : 0 < 3 / 2 * W * (M + E + 1)) by (apply Rmult_lt_0_compat; lra).
  assert (Heta : 0 < eta) by (apply Rdiv_lt_0_compat; lra).
  assert (Heta2 : W * eta * (M + E + 1) = 2 / 3 * eps) by (unfold eta; field; lra).
  clearbody eta.
  destruct (kernel eta Heta) as (m & x0 & Hx0 & HL & Hnear & Hmass).
  set (L := leibniz m) in *. set (tau := x0 / W).
  assert (Htau : W * tau = x0) by (unfold tau; field; lra).
  assert (Htau0 : 0 < tau) by (apply Rdiv_lt_0_compat; lra).
  set (D := Rsum m (fun k => (-1) ^ k / odd k ^ 2
    * (wave_sum n w a b (x + odd k * tau) - wave_sum n w a b (x - odd k * tau)))).
  assert (HD1 : Rabs D <= 2 * M * (L * x0 + eta)).
  { apply Rle_trans with (2 * M * odd_squares m); [ | apply Rmult_le_compat_l; lra].
    unfold D, odd_squares. rewrite <- Rsum_scal. eapply Rle_trans; [apply Rsum_Rabs | ].
    apply Rsum_le. intros k _. assert (Hk := odd_pos k).
    unfold Rdiv. rewrite !Rabs_mult, pow_1_abs, Rmult_1_l.
    assert (Hi : 0 < / odd k ^ 2) by (apply Rinv_0_lt_compat, pow_lt; exact Hk).
    rewrite (Rabs_pos_eq (/ odd k ^ 2)), Rmult_comm by lra.
    apply Rmult_le_compat_r; [lra | ].
    assert (B1 := HM (x + odd k * tau)). assert (B2 := HM (x - odd k * tau)).
    apply Rabs_le_between in B1. apply Rabs_le_between in B2. apply Rabs_le_between. lra. }
  assert (HD2 : Rabs (D - 2 * (L * tau) * d) <= 2 * (E * eta)).
  { unfold D. rewrite differences, Ed.
    replace (2 * Rsum n (fun l => (b l * cos (w l * x) - a l * sin (w l * x))
                                  * triangle m (w l * tau))
             - 2 * (L * tau) * Rsum n (fun l => e l * w l))
      with (2 * Rsum n (fun l => e l * (triangle m (w l * tau) - L * (w l * tau)))).
    2: { rewrite Rmult_assoc, <- Rmult_minus_distr_l. f_equal.
         rewrite <- (Rsum_scal n (L * tau)). unfold Rminus at 2.
         rewrite <- Rsum_opp, <- Rsum_plus. apply Rsum_ext. intros l _. unfold e. ring. }
    rewrite Rabs_mult, (Rabs_pos_eq 2) by lra. apply Rmult_le_compat_l; [lra | ].
    eapply Rle_trans; [apply Rsum_Rabs | ]. unfold E. rewrite <- Rsum_scal_r.
    apply Rsum_le. intros l Hl. rewrite Rabs_mult.
    apply Rmult_le_compat_l; [apply Rabs_pos | ]. apply Hnear.
    rewrite Rabs_mult, (Rabs_pos_eq tau), <- Htau by lra.
    apply Rmult_le_compat_r; [lra | now apply Hw]. }
  assert (HLt : 0 < L * tau) by (apply Rmult_lt_0_compat; lra).
  assert (H1 : 2 * (L * tau) * Rabs d <= 2 * M * (L * x0 + eta) + 2 * (E * eta)).
  { rewrite <- (Rabs_pos_eq (2 * (L * tau))) by lra. rewrite <- Rabs_mult.
    replace (2 * (L * tau) * d) with (D - (D - 2 * (L * tau) * d)) by ring.
    eapply Rle_trans; [apply Rabs_triang | ]. rewrite Rabs_Ropp. lra. }
  assert (H2 : L * x0 * (Rabs d - W * M) <= W * eta * (M + E)).
  { apply (Rmult_le_compat_l W) in H1; [ | lra]. rewrite <- Htau in *. nra. }
  destruct (Rle_lt_dec (Rabs d) (W * M)) as [H | H]; [lra | ].
  assert (H3 : 2 / 3 * (Rabs d - W * M) <= L * x0 * (Rabs d - W * M))
    by (apply Rmult_le_compat_r; [lra | nra]).
  assert (H4 : W * eta * (M + E) <= W * eta * (M + E + 1))
    by (apply Rmult_le_compat_l; [apply Rmult_le_pos |]; lra).
  lra.
Qed.

(** ** Trigonometric polynomials, and several variables *)

(** For a real trigonometric polynomial of degree at most [K]: [|p'| <= K max |p|]. *)
Theorem bernstein_trig (K : nat) (p : R -> R) (M : R) :
  is_rtrig K p -> (forall x, Rabs (p x) <= M) ->
  forall x d, is_derive p x d -> Rabs d <= INR K * M.
Proof.
  intros (a & b & Hp) HM x d Hd.
  apply (bernstein (S K) INR a b (INR K) M) with x.
  - apply pos_INR.
  - intros l Hl. rewrite Rabs_pos_eq by apply pos_INR. apply le_INR. lia.
  - intros y. change (Rabs (rtrig K a b y) <= M). rewrite <- Hp. apply HM.
  - apply is_derive_ext with p; [exact Hp | exact Hd].
Qed.

(** The partial derivative along feature [j] is at most [max_l |w_l j|] times the supremum. *)
Theorem bernstein_gradient (m n : nat) (w : nat -> nat -> R) (a b : nat -> R) (j : nat) (W M : R) :
  (j < m)%nat -> 0 <= W -> (forall l, (l < n)%nat -> Rabs (w l j) <= W) ->
  (forall x, Rabs (wave_sum_features m n w a b x) <= M) ->
  forall x s d, is_derive (fun s => wave_sum_features m n w a b (upd x j s)) s d ->
  Rabs d <= W * M.
Proof.
  intros Hj HW Hw HM x s d Hd.
  set (phase := fun l => dot m (w l) x - w l j * x j).
  assert (E : forall s, wave_sum_features m n w a b (upd x j s)
    = wave_sum n (fun l => w l j)
        (fun l => a l * cos (phase l) + b l * sin (phase l))
        (fun l => b l * cos (phase l) - a l * sin (phase l)) s).
  { intros t. apply Rsum_ext. intros l _. rewrite dot_upd by exact Hj. fold (phase l).
    rewrite cos_plus, sin_plus. ring. }
  apply (bernstein n (fun l => w l j) (fun l => a l * cos (phase l) + b l * sin (phase l))
           (fun l => b l * cos (phase l) - a l * sin (phase l)) W M HW Hw) with s.
  - intros t. rewrite <- E. apply HM.
  - apply is_derive_ext with (1 := E). exact Hd.
Qed.

(** ** Coefficients *)

(** Each coefficient is at most the largest absolute value, even on [N > 2 K] equispaced points. *)
Theorem coefficient_bound (K N : nat) (c : Z -> C) (t M : R) :
  (2 * K < N)%nat ->
  (forall j, (j < N)%nat -> Cmod (trig_poly K c (t + 2 * PI * INR j / INR N)) <= M) ->
  forall k, (- Z.of_nat K <= k <= Z.of_nat K)%Z -> Cmod (c k) <= M.
Proof.
  intros HN HM k Hk. assert (HN' : 0 < INR N) by (apply lt_0_INR; lia).
  rewrite (sampling K N c t k HN Hk).
  rewrite Cmod_div by (intros E; apply RtoC_inj in E; lra).
  rewrite Cmod_R, Rabs_pos_eq by lra. apply Rle_div_l; [exact HN' | ].
  eapply Rle_trans; [apply Csum_Cmod | ]. rewrite (Rmult_comm M), <- (Rsum_const N M).
  apply Rsum_le. intros j Hj. rewrite Cmod_mult, Cmod_cis, Rmult_1_r. now apply HM.
Qed.

(** ** Instances with numbers *)

(** Bernstein's inequality is attained: [cos(W x)] is at most 1, and its slope at [pi / (2 W)] is
    [-W]. *)
Example bernstein_sharp W : 0 < W ->
  (forall x, Rabs (cos (W * x)) <= 1) /\
  is_derive (fun x => cos (W * x)) (PI / (2 * W)) (- W).
Proof.
  intros HW. split; [intros x; apply Rabs_le_between, COS_bound | ].
  auto_derive; [exact I | ]. replace (W * (PI / (2 * W))) with (PI / 2) by (field; lra).
  rewrite sin_PI2. ring.
Qed.

(** The bound of coefficients is attained: by a constant. *)
Example coefficient_bound_sharp x : Cmod (trig_poly 0 (fun _ => RtoC 3) x) = 3.
Proof. rewrite trig_poly_0, Cmod_R. apply Rabs_pos_eq. lra. Qed.
