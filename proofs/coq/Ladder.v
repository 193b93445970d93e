(** The ladder of readouts of a product state whose qubit g is prepared by one rotation RY(alpha_g).
    A sum of local observables reads b + sum_l (u_l cos(s_l x) + v_l sin(s_l x)), so its spectrum
    lies in {0, +-s_l}; a product observable reads a product, and Z x ... x Z the product of the
    cosines, whose frequencies are the signed sums of the s_l. Any observable reads a tensor over
    (1, cos, sin) of each angle, and every real tensor is read by an observable. *)

From Coq Require Import Reals ZArith List Lia Lra.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly Matrix Element FourierForm Multilinear.
Import ListNotations.
Local Open Scope C_scope.

(** * Product states and their observables *)

(** [product_state phi L] is phi_0 x ... x phi_(L-1), [product_operator A L] is A_0 x ... x A_(L-1),
    of dimension 2^L; [local g A] has A on qubit g and 1 elsewhere; [msum n F] is F_0 + ... *)
Fixpoint product_state (phi : nat -> vec) (L : nat) : vec :=
  match L with O => ket0 | S l => vkron 2 (product_state phi l) (phi l) end.

Fixpoint product_operator (A : nat -> mat) (L : nat) : mat :=
  match L with O => mid | S l => kron 2 (product_operator A l) (A l) end.

Definition local (g : nat) (A : mat) : nat -> mat := fun h => if Nat.eqb h g then A else mid.
Definition msum (n : nat) (F : nat -> mat) : mat := fun i j => Csum n (fun l => F l i j).

(** The states of the qubits of one element: RY(alpha_g)|0>. *)
Definition encoded (alpha : nat -> R) (g : nat) : vec := apply 2 (rotation pauli_y (alpha g)) ket0.

(** In a product state, the expectation value of a product is the product. *)
Theorem expect_product (A : nat -> mat) (phi : nat -> vec) (L : nat) :
  expect (2 ^ L) (product_operator A L) (product_state phi L) =
  Cprod L (fun g => expect 2 (A g) (phi g)).
Proof.
  induction L as [|L IH]; cbn [product_operator product_state Cprod].
  - unfold expect, inner, apply, ket0, mid; simpl; push_conj; ring.
  - cbn [Nat.pow]; rewrite Nat.mul_comm, expect_kron, IH by lia; reflexivity.
Qed.

Lemma expect_msum (d n : nat) (F : nat -> mat) (v : vec) :
  expect d (msum n F) v = Csum n (fun l => expect d (F l) v).
Proof.
  induction n as [|n IH].
  - unfold expect, inner, apply, msum; simpl; apply Csum_zero; intros.
    rewrite Csum_zero; [ring|intros; ring].
  - simpl; rewrite <- IH, <- expect_plus; reflexivity.
Qed.

Lemma cprod_local (L g : nat) (x : C) : (g < L)%nat ->
  Cprod L (fun h => if Nat.eqb h g then x else RtoC 1) = x.
Proof.
  intros Hg; induction L as [|L IH]; [lia|]; simpl.
  destruct (Nat.eqb_spec L g) as [->|Hne]; [|rewrite IH by lia; ring].
  assert (H : forall m, (m <= g)%nat -> Cprod m (fun h => if Nat.eqb h g then x else RtoC 1) = 1).
  { intros m; induction m as [|m IHm]; intros Hm; simpl; [reflexivity|].
    rewrite IHm by lia; destruct (Nat.eqb_spec m g); [lia|ring]. }
  rewrite H by lia; ring.
Qed.

(** A local observable reads its own qubit only, where the states are normalised. *)
Lemma expect_local (A : mat) (phi : nat -> vec) (L g : nat) : (g < L)%nat ->
  (forall h, (h < L)%nat -> inner 2 (phi h) (phi h) = 1) ->
  expect (2 ^ L) (product_operator (local g A) L) (product_state phi L) = expect 2 A (phi g).
Proof.
  intros Hg Hn; rewrite expect_product, <- (cprod_local L g) by assumption.
  apply Cprod_ext; intros h Hh; unfold local; destruct (Nat.eqb_spec h g) as [->|Hne].
  - reflexivity.
  - rewrite expect_mid; apply Hn; assumption.
Qed.

Lemma product_state_norm (phi : nat -> vec) (L : nat) :
  (forall h, (h < L)%nat -> inner 2 (phi h) (phi h) = 1) ->
  inner (2 ^ L) (product_state phi L) (product_state phi L) = 1.
Proof.
  intros H; induction L as [|L IH]; cbn [product_state].
  - unfold inner, ket0; simpl; push_conj; ring.
  - cbn [Nat.pow]; rewrite Nat.mul_comm, inner_kron, IH, H by (lia || intros; apply H; lia); ring.
Qed.

Lemma unitary_norm (d : nat) (V : mat) (v : vec) : unitary d V ->
  inner d (apply d V v) (apply d V v) = inner d v v.
Proof.
  intros H; rewrite <- !expect_mid, expect_apply.
  apply expect_ext; [apply conjugate_mid; assumption|apply veq_refl].
Qed.

Lemma ket0_norm : inner 2 ket0 ket0 = 1.
Proof. unfold inner, ket0; simpl; push_conj; ring. Qed.

Lemma rotation_pauli_unitary (k : nat) (a : R) : unitary 2 (rotation (pauli k) a).
Proof. apply rotation_unitary; [apply pauli_hermitian|apply pauli_involution]. Qed.

Lemma encoded_norm (alpha : nat -> R) (g : nat) :
  inner 2 (encoded alpha g) (encoded alpha g) = 1.
Proof.
  unfold encoded; rewrite unitary_norm; [apply ket0_norm|apply (rotation_pauli_unitary 2)].
Qed.

(** The expectation values of the element, Element.v: Z reads the cosine, X the sine. *)
Lemma encoded_expect (alpha : nat -> R) (g : nat) :
  expect 2 pauli_z (encoded alpha g) = RtoC (cos (alpha g))
  /\ expect 2 pauli_x (encoded alpha g) = RtoC (sin (alpha g))
  /\ expect 2 pauli_y (encoded alpha g) = RtoC 0.
Proof.
  assert (H := element_expectations 1 (alpha g)); rewrite Rmult_1_l in H; exact H.
Qed.

(** * Linear: sums of local observables *)

(** b + sum_l (u_l Z_l + v_l X_l) reads b + sum_l (u_l cos alpha_l + v_l sin alpha_l). *)
Theorem linear_readout (L : nat) (b : R) (u v alpha : nat -> R) :
  expect (2 ^ L)
    (mplus (mscal (RtoC b) mid) (msum L (fun l => product_operator
      (local l (mplus (mscal (RtoC (u l)) pauli_z) (mscal (RtoC (v l)) pauli_x))) L)))
    (product_state (encoded alpha) L) =
  RtoC (b + Rsum L (fun l => u l * cos (alpha l) + v l * sin (alpha l)))%R.
Proof.
  rewrite expect_plus, expect_scal, expect_mid, product_state_norm by (intros; apply encoded_norm).
  rewrite expect_msum, RtoC_plus, <- Csum_R; f_equal; [ring|].
  apply Csum_ext; intros l Hl; rewrite expect_local by (assumption || intros; apply encoded_norm).
  destruct (encoded_expect alpha l) as [Hz [Hx _]].
  rewrite expect_plus, !expect_scal, Hz, Hx, RtoC_plus, !RtoC_mult; reflexivity.
Qed.

(** Any encoding gates exp(- i s_l x P_l / 2), P_l Hermitian with P_l^2 = 1, on any normalised
    states chi_l, any unitaries W_l after them, any Hermitian local observables: the sum of these
    observables is b + sum_l (u_l cos(s_l x) + v_l sin(s_l x)) for all x. *)
Theorem local_observables_spectrum (L : nat) (W P A : nat -> mat) (chi : nat -> vec)
  (s : nat -> R) :
  (forall l, (l < L)%nat -> unitary 2 (W l) /\ hermitian 2 (P l) /\ involution 2 (P l)
    /\ hermitian 2 (A l) /\ inner 2 (chi l) (chi l) = 1) ->
  exists (b : R) (u v : nat -> R), forall x : R,
    expect (2 ^ L) (msum L (fun l => product_operator (local l (A l)) L))
      (product_state (fun l => apply 2 (W l) (apply 2 (rotation (P l) (s l * x)) (chi l))) L) =
    RtoC (b + Rsum L (fun l => u l * cos (s l * x) + v l * sin (s l * x)))%R.
Proof.
  intros H.
  set (r := fun t l => Re (expect 2 (part 2 (P l) (conjugate 2 (W l) (A l)) t) (chi l))).
  exists (Rsum L (r One)), (r Cos), (r Sin); intros x.
  rewrite expect_msum, <- Rsum_plus, <- Csum_R; apply Csum_ext; intros l Hl.
  rewrite expect_local; [|assumption|].
  - destruct (H l Hl) as [_ [_ [_ [HA _]]]].
    rewrite expect_apply, expect_rotation; cbn [Clsum value].
    assert (Hr : forall t, expect 2 (part 2 (P l) (conjugate 2 (W l) (A l)) t) (chi l)
                           = RtoC (r t l)).
    { intros t; apply expect_hermitian, part_hermitian, conjugate_hermitian; assumption. }
    rewrite !Hr, !RtoC_plus, !RtoC_mult; ring.
  - intros h Hh; destruct (H h Hh) as [HW [HP [HI [_ Hc]]]].
    rewrite !unitary_norm; [assumption|apply rotation_unitary; assumption|assumption].
Qed.

(** * Product: one product observable *)

(** (u_0 Z + v_0 X) x ... reads the product of the u_l cos alpha_l + v_l sin alpha_l. *)
Theorem product_readout (L : nat) (u v alpha : nat -> R) :
  expect (2 ^ L)
    (product_operator (fun l => mplus (mscal (RtoC (u l)) pauli_z) (mscal (RtoC (v l)) pauli_x)) L)
    (product_state (encoded alpha) L) =
  RtoC (Rprod L (fun l => u l * cos (alpha l) + v l * sin (alpha l)))%R.
Proof.
  rewrite expect_product, <- Cprod_R; apply Cprod_ext; intros l Hl.
  destruct (encoded_expect alpha l) as [Hz [Hx _]].
  rewrite expect_plus, !expect_scal, Hz, Hx, RtoC_plus, !RtoC_mult; reflexivity.
Qed.

Definition plus_minus : list Z := [(-1)%Z; 1%Z].

Lemma rsum_update (L : nat) (e : nat -> Z) (m : Z) (alpha : nat -> R) :
  Rsum (S L) (fun g => IZR (update e L m g) * alpha g)%R =
  (Rsum L (fun g => IZR (e g) * alpha g) + IZR m * alpha L)%R.
Proof.
  simpl; rewrite update_same; f_equal; apply Rsum_ext; intros g Hg.
  rewrite update_other by lia; reflexivity.
Qed.

(** cos beta prod_g cos alpha_g = 2^-L sum over signs of cos(beta + e.alpha). *)
Lemma product_to_sum (L : nat) (alpha : nat -> R) (beta : R) :
  (cos beta * Rprod L (fun g => cos (alpha g)))%R =
  (/ 2 ^ L * Rlsum (fun e => cos (beta + Rsum L (fun g => IZR (e g) * alpha g)))
               (words plus_minus 1%Z L))%R.
Proof.
  revert beta; induction L as [|L IH]; intros beta.
  - simpl; rewrite !Rplus_0_r; field.
  - rewrite rlsum_words; cbn [Rprod].
    rewrite (rlsum_ext_in _ (fun e =>
      cos ((beta - alpha L) + Rsum L (fun g => IZR (e g) * alpha g))
      + cos ((beta + alpha L) + Rsum L (fun g => IZR (e g) * alpha g)))%R).
    + rewrite rlsum_plus.
      transitivity (/ 2 * (cos (beta - alpha L) * Rprod L (fun g => cos (alpha g)))
        + / 2 * (cos (beta + alpha L) * Rprod L (fun g => cos (alpha g))))%R.
      * rewrite cos_minus, cos_plus; field.
      * rewrite !IH; simpl; field; apply pow_nonzero; lra.
    + intros e _; unfold plus_minus; cbn [Rlsum]; rewrite !rsum_update, Rplus_0_r.
      f_equal; f_equal; ring.
Qed.

(** Z x ... x Z on L qubits with the angles s_l x: the product of the cosines, which is the mean
    over all signs e of cos((e.s) x). *)
Theorem parity_readout (L : nat) (s : nat -> R) (x : R) :
  let f := expect (2 ^ L) (product_operator (fun _ => pauli_z) L)
             (product_state (encoded (fun l => s l * x)%R) L) in
  f = RtoC (Rprod L (fun l => cos (s l * x)))
  /\ f = RtoC (/ 2 ^ L * Rlsum (fun e => cos (Rsum L (fun l => IZR (e l) * s l) * x))
                 (words plus_minus 1%Z L))%R.
Proof.
  intros f; assert (H : f = RtoC (Rprod L (fun l => cos (s l * x)))).
  { unfold f; rewrite expect_product, <- Cprod_R; apply Cprod_ext; intros l Hl.
    apply (encoded_expect (fun l => s l * x)%R l). }
  split; [assumption|]; rewrite H; f_equal.
  replace (Rprod L (fun l => cos (s l * x)))
    with (cos 0 * Rprod L (fun l => cos (s l * x)))%R by (rewrite cos_0; ring).
  rewrite (product_to_sum L (fun l => s l * x)%R); f_equal; apply rlsum_ext_in; intros e _.
  f_equal; rewrite Rplus_0_l, <- Rsum_scal_r; apply Rsum_ext; intros; ring.
Qed.

(** The same with one sign fixed: 2^-L of the 2^L signs of the L other angles. *)
Theorem parity_readout_fixed_sign (L : nat) (s : nat -> R) (x : R) :
  expect (2 ^ S L) (product_operator (fun _ => pauli_z) (S L))
    (product_state (encoded (fun l => s l * x)%R) (S L)) =
  RtoC (/ 2 ^ L * Rlsum (fun e => cos ((s L + Rsum L (fun l => IZR (e l) * s l)) * x))
          (words plus_minus 1%Z L))%R.
Proof.
  destruct (parity_readout (S L) s x) as [H _]; rewrite H; f_equal; cbn [Rprod].
  rewrite Rmult_comm, (product_to_sum L (fun l => s l * x)%R); f_equal.
  apply rlsum_ext_in; intros e _; f_equal; rewrite Rmult_plus_distr_r; f_equal.
  rewrite <- Rsum_scal_r; apply Rsum_ext; intros; ring.
Qed.

(** * Dense: any observable *)

Definition feature_pauli (t : feature) : mat :=
  match t with One => mid | Cos => pauli_z | Sin => pauli_x end.

Lemma encoded_feature (alpha : nat -> R) (g : nat) (t : feature) :
  expect 2 (feature_pauli t) (encoded alpha g) = RtoC (value t (alpha g)).
Proof.
  destruct (encoded_expect alpha g) as [Hz [Hx _]].
  destruct t; simpl; [rewrite expect_mid; apply encoded_norm|assumption|assumption].
Qed.

(** Every real tensor T is read by the observable sum_t T_t P_t, P_t the word of 1, Z, X in the
    places of 1, cos, sin. *)
Theorem dense_readout (L : nat) (T : (nat -> feature) -> R) (alpha : nat -> R) :
  expect (2 ^ L)
    (fun i j => Clsum (fun t => RtoC (T t) * product_operator (fun g => feature_pauli (t g)) L i j)
                  (words features One L))
    (product_state (encoded alpha) L) =
  RtoC (Rlsum (fun t => T t * Rprod L (fun g => value (t g) (alpha g)))%R (words features One L)).
Proof.
  rewrite <- clsum_real.
  rewrite (clsum_ext _ (fun t => RtoC (T t) * expect (2 ^ L)
    (product_operator (fun g => feature_pauli (t g)) L) (product_state (encoded alpha) L))).
  - induction (words features One L) as [|t l IH]; simpl.
    + unfold expect, inner, apply; apply Csum_zero; intros.
      rewrite Csum_zero; [ring|intros; ring].
    + rewrite <- IH, <- expect_scal, <- expect_plus; reflexivity.
  - intros t; rewrite RtoC_mult, expect_product, <- Cprod_R; f_equal.
    apply Cprod_ext; intros; symmetry; apply encoded_feature.
Qed.

Lemma product_operator_hermitian (A : nat -> mat) (L : nat) :
  (forall g, (g < L)%nat -> hermitian 2 (A g)) -> hermitian (2 ^ L) (product_operator A L).
Proof.
  induction L as [|L IH]; intros H i j Hi Hj; [apply adj_mid|].
  cbn [product_operator Nat.pow] in *.
  destruct (below_double i _ Hi), (below_double j _ Hj).
  unfold adj, kron; push_conj; f_equal.
  - apply IH; try assumption; intros; apply H; lia.
  - apply H; try assumption; lia.
Qed.

(** This observable is Hermitian. *)
Theorem dense_observable_hermitian (L : nat) (T : (nat -> feature) -> R) :
  hermitian (2 ^ L)
    (fun i j => Clsum (fun t => RtoC (T t) * product_operator (fun g => feature_pauli (t g)) L i j)
                  (words features One L)).
Proof.
  intros i j Hi Hj; unfold adj.
  induction (words features One L) as [|t l IH]; cbn [Clsum]; [apply Cconj_R|].
  rewrite Cconj_plus, Cconj_mult, Cconj_R, IH; f_equal; f_equal.
  apply (product_operator_hermitian (fun g => feature_pauli (t g))); try assumption.
  intros g _; destruct (t g);
    [apply (pauli_hermitian 0)|apply (pauli_hermitian 3)|apply (pauli_hermitian 1)].
Qed.

Lemma pauli_word_means (L k : nat) (alpha : nat -> R) :
  pauli_means (S L) (product_state (encoded alpha) (S L)) k =
  (pauli_means L (product_state (encoded alpha) L) (k / 4)
   * Re (expect 2 (pauli (k mod 4)) (encoded alpha L)))%R.
Proof.
  unfold pauli_means, means; cbn [pauli_word product_state Nat.pow].
  rewrite Nat.mul_comm, expect_kron by lia.
  rewrite (expect_hermitian 2 (pauli _)) by apply pauli_hermitian.
  rewrite (expect_hermitian (2 ^ L) (pauli_word L _)) by apply pauli_word_hermitian.
  simpl; ring.
Qed.

Lemma rsum_digits (n : nat) (f : nat -> nat -> R) :
  Rsum (n * 4) (fun k => f (k / 4)%nat (k mod 4)%nat) = Rsum n (fun a => Rsum 4 (fun b => f a b)).
Proof.
  apply RtoC_inj; rewrite <- !Csum_R.
  rewrite (Csum_digits n 4 (fun a b => RtoC (f a b))) by lia.
  apply Csum_ext; intros; apply Csum_R.
Qed.

(** A combination of the Pauli means of a product state, as a tensor over the features; T reads the
    first L places of a word only. *)
Lemma dense_sum (L : nat) (c : nat -> R) : exists T : (nat -> feature) -> R,
  (forall t t', (forall g, (g < L)%nat -> t g = t' g) -> T t = T t') /\
  forall alpha : nat -> R,
  Rsum (4 ^ L) (fun k => c k * pauli_means L (product_state (encoded alpha) L) k)%R =
  Rlsum (fun t => T t * Rprod L (fun g => value (t g) (alpha g)))%R (words features One L).
Proof.
  revert c; induction L as [|L IH]; intros c.
  - exists (fun _ => c 0%nat); split; [reflexivity|]; intros alpha; simpl.
    replace (pauli_means 0 ket0 0) with 1%R; [ring|].
    unfold pauli_means, means, expect, inner, apply, ket0, mid, Re; simpl; ring.
  - destruct (IH (fun a => c (4 * a + 0)%nat)) as [T0 [H0 E0]].
    destruct (IH (fun a => c (4 * a + 1)%nat)) as [T1 [H1 E1]].
    destruct (IH (fun a => c (4 * a + 3)%nat)) as [T3 [H3 E3]].
    exists (fun t => match t L with One => T0 t | Cos => T3 t | Sin => T1 t end); split.
    + intros t t' H; rewrite <- (H L) by lia.
      destruct (t L); [apply H0|apply H3|apply H1]; intros; apply H; lia.
    + intros alpha.
      set (m := fun a => pauli_means L (product_state (encoded alpha) L) a).
      set (e := fun b => Re (expect 2 (pauli b) (encoded alpha L))).
      destruct (encoded_expect alpha L) as [Hz [Hx Hy]].
      assert (He0 : e 0%nat = 1%R).
      { unfold e; cbn [pauli]; rewrite expect_mid, encoded_norm; reflexivity. }
      assert (He1 : e 1%nat = sin (alpha L)) by (unfold e; cbn [pauli]; rewrite Hx; reflexivity).
      assert (He2 : e 2%nat = 0%R) by (unfold e; cbn [pauli]; rewrite Hy; reflexivity).
      assert (He3 : e 3%nat = cos (alpha L)) by (unfold e; cbn [pauli]; rewrite Hz; reflexivity).
      replace (4 ^ S L)%nat with (4 ^ L * 4)%nat by (simpl; lia).
      rewrite (Rsum_ext _ _ (fun k => c (4 * (k / 4) + k mod 4)%nat * (m (k / 4)%nat
        * e (k mod 4)%nat))%R).
      2: { intros k Hk; rewrite pauli_word_means, <- Nat.div_mod by lia; reflexivity. }
      rewrite (rsum_digits (4 ^ L) (fun a b => c (4 * a + b)%nat * (m a * e b))%R).
      transitivity (Rsum (4 ^ L) (fun a => c (4 * a + 0)%nat * m a)
        + (Rsum (4 ^ L) (fun a => c (4 * a + 3)%nat * m a) * cos (alpha L)
        + Rsum (4 ^ L) (fun a => c (4 * a + 1)%nat * m a) * sin (alpha L)))%R.
      * rewrite <- !Rsum_scal_r, <- !Rsum_plus; apply Rsum_ext; intros a Ha.
        cbn [Rsum]; rewrite He0, He1, He2, He3; ring.
      * unfold m; rewrite E0, E1, E3, rlsum_words.
        rewrite !(Rmult_comm (Rlsum _ _)), <- !rlsum_scal, <- !rlsum_plus.
        apply rlsum_ext_in; intros t _; unfold features; cbn [Rlsum Rprod].
        rewrite !update_same; cbn [value].
        assert (HP : forall f, Rprod L (fun g => value (update t L f g) (alpha g))
                               = Rprod L (fun g => value (t g) (alpha g))).
        { intros f; apply Rprod_ext; intros; rewrite update_other by lia; reflexivity. }
        assert (HT : forall f g, (g < L)%nat -> t g = update t L f g).
        { intros; symmetry; apply update_other; lia. }
        rewrite !HP, <- (H0 t _ (HT One)), <- (H3 t _ (HT Cos)), <- (H1 t _ (HT Sin)); ring.
Qed.

(** Any Hermitian observable reads a real tensor over (1, cos, sin) of each angle. *)
Theorem dense_readout_of_observable (L : nat) (O : mat) : hermitian (2 ^ L) O ->
  exists T : (nat -> feature) -> R, forall alpha : nat -> R,
  expect (2 ^ L) O (product_state (encoded alpha) L) =
  RtoC (Rlsum (fun t => T t * Rprod L (fun g => value (t g) (alpha g)))%R (words features One L)).
Proof.
  intros H; destruct (dense_sum L (pauli_coordinate L O)) as [T [_ HT]]; exists T; intros alpha.
  rewrite <- HT; apply expect_coordinates; try assumption.
  - apply pow_nonzero; lra.
  - intros; apply pauli_word_hermitian.
  - intros; apply pauli_word_complete; assumption.
Qed.

(** * Instances with numbers *)

(** Z x Z on two equal encodings: (1 + cos 2x)/2, the frequencies 0 and 2 and no others. *)
Example parity_instance (x : R) :
  expect 4 (product_operator (fun _ => pauli_z) 2) (product_state (encoded (fun _ => x)) 2) =
  RtoC ((1 + cos (2 * x)) / 2).
Proof.
  assert (H := parity_readout_fixed_sign 1 (fun _ => 1%R) x); cbv beta in H.
  rewrite Rmult_1_l in H; change (2 ^ 2)%nat with 4%nat in H; rewrite H; f_equal.
  unfold plus_minus, words, update; simpl.
  replace ((1 + (0 + -1 * 1)) * x)%R with 0%R by ring.
  replace ((1 + (0 + 1 * 1)) * x)%R with (2 * x)%R by ring.
  rewrite cos_0; field.
Qed.

(** 3 + 5 Z on one qubit at the angle pi reads 3 - 5 = -2. *)
Example linear_instance :
  expect 2 (mplus (mscal (RtoC 3) mid) (msum 1 (fun l => product_operator
    (local l (mplus (mscal (RtoC 5) pauli_z) (mscal (RtoC 0) pauli_x))) 1)))
    (product_state (encoded (fun _ => PI)) 1) = RtoC (- 2).
Proof.
  assert (H := linear_readout 1 3 (fun _ => 5%R) (fun _ => 0%R) (fun _ => PI)).
  change (2 ^ 1)%nat with 2%nat in H; rewrite H; simpl; rewrite cos_PI, sin_PI; f_equal; ring.
Qed.
