(** The expectation value of a circuit is multilinear in (1, cos alpha_g, sin alpha_g) of its
    encoding gates, for every depth, all matrices and all angles, with real coefficients for a
    Hermitian observable. It equals a chain of real 4^n x 4^n matrices, each affine in
    (1, cos alpha_g, sin alpha_g), that act on the Pauli expectation values of the state; for one
    qubit with unitary gates, a chain of 3 x 3 matrices that act on the Bloch vector. *)

From Coq Require Import Reals ZArith List Lia Lra.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly Matrix Element FourierForm.
Import ListNotations.
Local Open Scope C_scope.

(** * Multilinearity *)

Definition features : list feature := [One; Cos; Sin].

(** The coefficient T[t] of the product of the features t_g(alpha_g). *)
Definition tensor (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (t : nat -> feature) : C := coefficient d W P psi feature (part d) L O t.

(** f = sum over t in {1, cos, sin}^L of T[t] prod_g t_g(alpha_g), T independent of the angles. *)
Theorem multilinear_expectation (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (alpha : nat -> R) :
  output d W P psi O L alpha =
  Clsum (fun t => tensor d W P psi O L t * RtoC (Rprod L (fun g => value (t g) (alpha g))))
    (words features One L).
Proof.
  rewrite (expansion d W P psi feature features One (part d) (fun t a => RtoC (value t a))).
  - apply clsum_ext; intros t; rewrite Cprod_R; reflexivity.
  - intros; apply expect_rotation.
Qed.

Lemma part_hermitian (d : nat) (P M : mat) (t : feature) :
  hermitian d M -> hermitian d (part d P M t).
Proof. intros H i j Hi Hj; rewrite part_adj; apply part_ext; assumption. Qed.

Lemma tensor_real (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (t : nat -> feature) : hermitian d O ->
  tensor d W P psi O L t = RtoC (Re (tensor d W P psi O L t)).
Proof.
  unfold tensor; revert O; induction L as [|l IH]; intros O H; simpl.
  - apply expect_hermitian; assumption.
  - apply IH; apply part_hermitian; apply conjugate_hermitian; assumption.
Qed.

(** For a Hermitian observable the coefficients are real. *)
Theorem multilinear_expectation_real (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat) :
  hermitian d O ->
  exists T : (nat -> feature) -> R, forall alpha : nat -> R,
    output d W P psi O L alpha =
    RtoC (Rlsum (fun t => T t * Rprod L (fun g => value (t g) (alpha g)))%R
            (words features One L)).
Proof.
  intros H; exists (fun t => Re (tensor d W P psi O L t)); intros alpha.
  rewrite multilinear_expectation, <- clsum_real; apply clsum_ext; intros t.
  rewrite RtoC_mult, <- tensor_real by assumption; reflexivity.
Qed.

(** A product with one factor singled out. *)
Lemma rprod_single (L g : nat) (f : nat -> R) : (g < L)%nat ->
  Rprod L f = (Rprod L (fun h => if Nat.eqb h g then 1 else f h) * f g)%R.
Proof.
  induction L as [|L IH]; intros Hg; [lia|]; simpl.
  destruct (Nat.eqb_spec L g) as [<-|Hne].
  - rewrite (Rprod_ext L f (fun h => if Nat.eqb h L then 1%R else f h)); [ring|].
    intros i Hi; destruct (Nat.eqb_spec i L); [lia|reflexivity].
  - rewrite IH by lia; ring.
Qed.

(** The output as a function of the angle of gate g alone: A + B cos a + C sin a. *)
Theorem affine_in_each_gate (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L g : nat)
  (alpha : nat -> R) : hermitian d O -> (g < L)%nat ->
  exists A B D : R, forall a : R,
    output d W P psi O L (update alpha g a) = RtoC (A + B * cos a + D * sin a).
Proof.
  intros HO Hg; destruct (multilinear_expectation_real d W P psi O L HO) as [T HT].
  assert (H : exists A B D : R, forall a : R,
    Rlsum (fun t => T t * Rprod L (fun h => value (t h) (update alpha g a h)))%R
      (words features One L) = (A + B * cos a + D * sin a)%R).
  { clear HT; induction (words features One L) as [|t l [A [B [D IH]]]].
    - exists 0%R, 0%R, 0%R; intros a; simpl; ring.
    - set (K := (T t * Rprod L (fun h => if Nat.eqb h g then 1 else value (t h) (alpha h)))%R).
      assert (HK : forall a, (T t * Rprod L (fun h => value (t h) (update alpha g a h)))%R
                             = (K * value (t g) a)%R).
      { intros a; unfold K; rewrite (rprod_single L g) by assumption; rewrite update_same.
        rewrite (Rprod_ext L _ (fun h => if Nat.eqb h g then 1%R else value (t h) (alpha h))).
        - ring.
        - intros h Hh; unfold update; destruct (Nat.eqb h g); reflexivity. }
      destruct (t g) eqn:Ht.
      + exists (A + K)%R, B, D; intros a; simpl; rewrite HK, IH; simpl; ring.
      + exists A, (B + K)%R, D; intros a; simpl; rewrite HK, IH; simpl; ring.
      + exists A, B, (D + K)%R; intros a; simpl; rewrite HK, IH; simpl; ring. }
  destruct H as [A [B [D H]]]; exists A, B, D; intros a; rewrite HT, H; reflexivity.
Qed.

(** * Which matrix is multiplied by which feature *)

(** An encoding gate about P leaves an observable Q alone that commutes with P. *)
Lemma part_commuting (d : nat) (P Q : mat) : hermitian d P -> involution d P ->
  meq d (mmul d P Q) (mmul d Q P) ->
  meq d (part d P Q One) Q /\ meq d (part d P Q Cos) (mscal 0 Q)
  /\ meq d (part d P Q Sin) (mscal 0 Q).
Proof.
  intros HP HI HQ.
  assert (HL : meq d (mmul d (adj P) Q) (mmul d Q P)).
  { eapply meq_trans; [apply mmul_ext; [exact HP|apply meq_refl]|exact HQ]. }
  assert (HC : meq d (conjugate d P Q) Q).
  { unfold conjugate; eapply meq_trans; [intros i j _ _; symmetry; apply mmul_assoc|].
    eapply meq_trans; [apply mmul_ext; [exact HL|apply meq_refl]|].
    eapply meq_trans; [intros i j _ _; apply mmul_assoc|].
    eapply meq_trans; [apply mmul_ext; [apply meq_refl|exact HI]|apply mmul_mid_r]. }
  assert (Hh := half_plus_half).
  repeat split; intros i j Hi Hj; unfold part, mscal, mplus; rewrite ?HC, ?HL by assumption;
    try ring; transitivity ((RtoC (1 / 2) + RtoC (1 / 2)) * Q i j); [|rewrite Hh]; ring.
Qed.

(** It turns a Q that anticommutes with P: S^dagger Q S = Q cos a + i P Q sin a. *)
Lemma part_anticommuting (d : nat) (P Q : mat) : hermitian d P -> involution d P ->
  meq d (mmul d Q P) (mscal (- RtoC 1) (mmul d P Q)) ->
  meq d (part d P Q One) (mscal 0 Q) /\ meq d (part d P Q Cos) Q
  /\ meq d (part d P Q Sin) (mscal Ci (mmul d P Q)).
Proof.
  intros HP HI HQ.
  assert (HL : meq d (mmul d (adj P) Q) (mmul d P Q)).
  { apply mmul_ext; [exact HP|apply meq_refl]. }
  assert (HC : meq d (conjugate d P Q) (mscal (- RtoC 1) Q)).
  { unfold conjugate; eapply meq_trans; [apply mmul_ext; [exact HP|exact HQ]|].
    intros i j Hi Hj.
    transitivity (- RtoC 1 * mmul d P (mmul d P Q) i j).
    - unfold mmul at 1 3; rewrite <- Csum_scal; apply Csum_ext; intros; unfold mscal; ring.
    - unfold mscal; f_equal; rewrite <- mmul_assoc.
      rewrite (mmul_ext d _ _ _ _ HI (meq_refl d Q) i j Hi Hj); apply mmul_mid_l; assumption. }
  assert (Hh := half_plus_half).
  repeat split; intros i j Hi Hj; unfold part, mscal at 1, mplus.
  - rewrite HC by assumption; unfold mscal; ring.
  - unfold mscal; rewrite HC by assumption; unfold mscal.
    transitivity ((RtoC (1 / 2) + RtoC (1 / 2)) * Q i j); [|rewrite Hh]; ring.
  - unfold mscal; rewrite HQ, HL by assumption; unfold mscal.
    transitivity ((RtoC (1 / 2) + RtoC (1 / 2)) * Ci * mmul d P Q i j); [|rewrite Hh]; ring.
Qed.

(** * The chain of real matrices *)

Definition rapply (D : nat) (A : nat -> nat -> R) (r : nat -> R) : nat -> R :=
  fun j => Rsum D (fun k => A j k * r k)%R.

(** [chain D T K r L alpha] = T_L G_(L-1) T_(L-1) ... G_0 T_0 r, where the T_l are constant real
    D x D matrices, G_g = K_g[One] + K_g[Cos] cos alpha_g + K_g[Sin] sin alpha_g. *)
Fixpoint chain (D : nat) (T : nat -> nat -> nat -> R) (K : nat -> feature -> nat -> nat -> R)
  (r : nat -> R) (L : nat) (alpha : nat -> R) : nat -> R :=
  match L with
  | O => rapply D (T O) r
  | S l => rapply D (T (S l))
             (rapply D (fun j k => K l One j k + K l Cos j k * cos (alpha l)
                                   + K l Sin j k * sin (alpha l))%R
                (chain D T K r l alpha))
  end.

Section Basis.

(** D Hermitian matrices B_k of dimension d with M = (1/N) sum_k Tr(M B_k) B_k for every M. *)
Variables (d D : nat) (B : nat -> mat) (N : R).
Hypothesis N_nonzero : N <> 0%R.
Hypothesis B_hermitian : forall k, (k < D)%nat -> hermitian d (B k).
Hypothesis B_complete : forall a b i j, (a < d)%nat -> (b < d)%nat -> (i < d)%nat -> (j < d)%nat ->
  Csum D (fun k => B k a b * B k i j) = RtoC N * (mid a j * mid b i).

(** The coefficients of a Hermitian M, and the expectation values <B_k> of a state. *)
Definition coordinate (M : mat) (k : nat) : R := (/ N * Re (trace d (mmul d M (B k))))%R.
Definition means (v : vec) (k : nat) : R := Re (expect d (B k) v).

(** The matrix of a gate V, (1/N) Tr(V^dagger B_j V B_k), and those of an encoding gate. *)
Definition transfer (V : mat) (j k : nat) : R := coordinate (conjugate d V (B j)) k.
Definition core (P : mat) (t : feature) (j k : nat) : R := coordinate (part d P (B j) t) k.

Lemma basis_expansion (M : mat) :
  meq d M (fun i j => RtoC (/ N) * Csum D (fun k => trace d (mmul d M (B k)) * B k i j)).
Proof.
  intros i j Hi Hj.
  transitivity (RtoC (/ N) * Csum d (fun a => Csum d (fun b =>
    M a b * (RtoC N * (mid b j * mid a i))))).
  - rewrite (Csum_ext d _ (fun a => mid i a * (RtoC N * M a j))).
    + rewrite (Csum_delta d (fun a => RtoC N * M a j)) by assumption.
      rewrite Cmult_assoc, <- RtoC_mult, Rinv_l by assumption; ring.
    + intros a Ha.
      rewrite (Csum_ext d _ (fun b => mid j b * (mid i a * (RtoC N * M a b)))).
      2: { intros; rewrite (mid_sym i), (mid_sym j); ring. }
      apply (Csum_delta d (fun b => mid i a * (RtoC N * M a b))); assumption.
  - f_equal; symmetry; unfold trace, mmul.
    rewrite (Csum_ext D _ (fun k => Csum d (fun a => Csum d (fun b =>
      M a b * (B k b a * B k i j))))).
    2: { intros k Hk; rewrite <- Csum_scal_r; apply Csum_ext; intros a Ha.
         rewrite <- Csum_scal_r; apply Csum_ext; intros; ring. }
    rewrite Csum_swap; apply Csum_ext; intros a Ha.
    rewrite Csum_swap; apply Csum_ext; intros b Hb.
    rewrite Csum_scal, B_complete by assumption; reflexivity.
Qed.

Lemma expect_sum (n : nat) (F : nat -> mat) (x : nat -> C) (v : vec) :
  expect d (fun i j => Csum n (fun k => x k * F k i j)) v =
  Csum n (fun k => x k * expect d (F k) v).
Proof.
  induction n as [|n IH]; simpl.
  - unfold expect, inner, apply; apply Csum_zero; intros i Hi.
    rewrite Csum_zero; [ring|]; intros; ring.
  - rewrite <- IH, <- expect_scal, <- expect_plus; reflexivity.
Qed.

(** <M> = sum_k m_k <B_k> for Hermitian M, with real coordinates m_k. *)
Lemma expect_coordinates (M : mat) (v : vec) : hermitian d M ->
  expect d M v = RtoC (Rsum D (fun k => coordinate M k * means v k)%R).
Proof.
  intros HM.
  rewrite (expect_ext d M _ v v (basis_expansion M) (veq_refl d v)).
  change (expect d (mscal (RtoC (/ N))
    (fun i j => Csum D (fun k => trace d (mmul d M (B k)) * B k i j))) v =
    RtoC (Rsum D (fun k => coordinate M k * means v k)%R)).
  rewrite expect_scal, expect_sum, <- Csum_R, <- Csum_scal; apply Csum_ext; intros k Hk.
  unfold coordinate, means; rewrite !RtoC_mult.
  rewrite <- (trace_hermitian d M (B k)), <- (expect_hermitian d (B k)); auto; ring.
Qed.

Lemma means_apply (V : mat) (v : vec) (j : nat) : (j < D)%nat ->
  means (apply d V v) j = rapply D (transfer V) (means v) j.
Proof.
  intros Hj; unfold means at 1; rewrite expect_apply, expect_coordinates.
  - reflexivity.
  - apply conjugate_hermitian; apply B_hermitian; assumption.
Qed.

Lemma means_rotation (P : mat) (a : R) (v : vec) (j : nat) : (j < D)%nat ->
  means (apply d (rotation P a) v) j =
  rapply D (fun j k => core P One j k + core P Cos j k * cos a + core P Sin j k * sin a)%R
    (means v) j.
Proof.
  intros Hj; unfold means at 1; rewrite expect_rotation; cbn [Clsum value].
  rewrite !expect_coordinates by (apply part_hermitian; apply B_hermitian; assumption).
  rewrite <- !RtoC_mult, <- !RtoC_plus; unfold rapply, Re; cbn [fst RtoC].
  rewrite <- !Rsum_scal_r, Rplus_0_r, <- !Rsum_plus; apply Rsum_ext; intros k Hk.
  unfold core; ring.
Qed.

Lemma rapply_ext (A : nat -> nat -> R) (r r' : nat -> R) (j : nat) :
  (forall k, (k < D)%nat -> r k = r' k) -> rapply D A r j = rapply D A r' j.
Proof. intros H; apply Rsum_ext; intros; rewrite H by assumption; reflexivity. Qed.

Lemma means_state (W P : nat -> mat) (psi : vec) (L : nat) (alpha : nat -> R) (j : nat) :
  (j < D)%nat ->
  means (state d W P psi L alpha) j =
  chain D (fun l => transfer (W l)) (fun g => core (P g)) (means psi) L alpha j.
Proof.
  revert j; induction L as [|l IH]; intros j Hj; simpl.
  - apply means_apply; assumption.
  - rewrite means_apply by assumption; apply rapply_ext; intros k Hk.
    rewrite means_rotation by assumption; apply rapply_ext; intros; apply IH; assumption.
Qed.

Theorem chain_output (W P : nat -> mat) (psi : vec) (O : mat) (L : nat) (alpha : nat -> R) :
  hermitian d O ->
  output d W P psi O L alpha =
  RtoC (Rsum D (fun k => coordinate O k *
    chain D (fun l => transfer (W l)) (fun g => core (P g)) (means psi) L alpha k)%R).
Proof.
  intros H; unfold output; rewrite expect_coordinates by assumption; f_equal.
  apply Rsum_ext; intros k Hk; rewrite means_state by assumption; reflexivity.
Qed.

(** Parseval: the sum of the products of the coordinates is Tr(M M') / N. *)
Lemma coordinates_parseval (M M' : mat) : hermitian d M -> hermitian d M' ->
  Rsum D (fun k => coordinate M k * coordinate M' k)%R = (/ N * Re (trace d (mmul d M M')))%R.
Proof.
  intros HM HM'; apply RtoC_inj; rewrite RtoC_mult, <- trace_hermitian by assumption.
  rewrite (trace_ext d (mmul d M M') _
    (mmul_ext d M M _ _ (meq_refl d M) (basis_expansion M'))).
  transitivity (RtoC (/ N) * (RtoC (/ N) * Csum D (fun k =>
    trace d (mmul d M' (B k)) * trace d (mmul d M (B k))))).
  - rewrite <- Csum_R, <- !Csum_scal; apply Csum_ext; intros k Hk.
    unfold coordinate; rewrite !RtoC_mult.
    rewrite <- !(trace_hermitian d _ (B k)); auto; ring.
  - set (u := fun k => trace d (mmul d M' (B k))).
    change (RtoC (/ N) * (RtoC (/ N) * Csum D (fun k => u k * trace d (mmul d M (B k))))
      = RtoC (/ N) * trace d (mmul d M (fun i j => RtoC (/ N) * Csum D (fun k => u k * B k i j)))).
    generalize u; clear u; intros u; f_equal; unfold trace, mmul.
    rewrite (Csum_ext d (fun i => Csum d (fun j => M i j * _)) (fun i => Csum D (fun k =>
      RtoC (/ N) * (u k * Csum d (fun j => M i j * B k j i))))).
    + rewrite Csum_swap, <- Csum_scal; apply Csum_ext; intros k Hk.
      rewrite !Csum_scal; reflexivity.
    + intros i Hi.
      rewrite (Csum_ext d _ (fun j => Csum D (fun k => RtoC (/ N) * (u k * (M i j * B k j i))))).
      * rewrite Csum_swap; apply Csum_ext; intros; rewrite !Csum_scal; reflexivity.
      * intros j Hj; rewrite <- !Csum_scal; apply Csum_ext; intros; ring.
Qed.

End Basis.

(** * n qubits: Pauli words *)

(** [pauli_word n k]: the word with the digits of k in base 4, 0 to 3 for 1, X, Y, Z; the first
    qubit has the leading digit. *)
Fixpoint pauli_word (n k : nat) : mat :=
  match n with
  | O => mid
  | S m => kron 2 (pauli_word m (k / 4)%nat) (pauli (k mod 4)%nat)
  end.

Lemma pauli_hermitian (k : nat) : hermitian 2 (pauli k).
Proof.
  destruct k as [|[|[|k]]]; [intros i j _ _; apply adj_mid| | |]; meq2;
    unfold adj, pauli, pauli_x, pauli_y, pauli_z, mat2; push_conj; ring.
Qed.

Lemma pauli_involution (k : nat) : involution 2 (pauli k).
Proof.
  assert (HI := i_square).
  destruct k as [|[|[|k]]]; meq2; unfold mmul, pauli, pauli_x, pauli_y, pauli_z, mat2, mid;
    simpl; ring [HI].
Qed.

Lemma below_double (i m : nat) : (i < 2 * m)%nat -> (i / 2 < m)%nat /\ (i mod 2 < 2)%nat.
Proof.
  intros H; split; [apply Nat.div_lt_upper_bound; lia|apply Nat.mod_upper_bound; lia].
Qed.

Lemma pauli_word_hermitian (n k : nat) : hermitian (2 ^ n) (pauli_word n k).
Proof.
  revert k; induction n as [|n IH]; intros k i j Hi Hj; [apply adj_mid|].
  simpl pauli_word; cbn [Nat.pow] in *.
  destruct (below_double i _ Hi), (below_double j _ Hj).
  unfold adj, kron; push_conj; f_equal; [apply IH|apply pauli_hermitian]; assumption.
Qed.

Lemma mid_digits (a b : nat) :
  mid a b = mid (a / 2)%nat (b / 2)%nat * mid (a mod 2)%nat (b mod 2)%nat.
Proof.
  unfold mid; destruct (Nat.eqb_spec a b) as [->|H].
  - rewrite !Nat.eqb_refl; ring.
  - destruct (Nat.eqb_spec (a / 2)%nat (b / 2)%nat) as [H1|]; [|ring].
    destruct (Nat.eqb_spec (a mod 2)%nat (b mod 2)%nat) as [H2|]; [|ring].
    exfalso; apply H; rewrite (Nat.div_mod a 2), (Nat.div_mod b 2), H1, H2 by lia; reflexivity.
Qed.

(** A Pauli word P is Hermitian with P^2 = 1, so that [rotation P a] is exp(- i a P / 2). *)
Lemma pauli_word_involution (n k : nat) : involution (2 ^ n) (pauli_word n k).
Proof.
  revert k; induction n as [|n IH]; intros k i j Hi Hj; [apply mmul_mid_l; assumption|].
  simpl pauli_word; cbn [Nat.pow] in *; rewrite Nat.mul_comm, mmul_kron by lia.
  destruct (below_double i _ Hi), (below_double j _ Hj).
  rewrite (mid_digits i j); unfold kron; f_equal; [apply IH|apply pauli_involution]; assumption.
Qed.

Lemma pauli_complete (a b i j : nat) : (a < 2)%nat -> (b < 2)%nat -> (i < 2)%nat -> (j < 2)%nat ->
  Csum 4 (fun k => pauli k a b * pauli k i j) = RtoC 2 * (mid a j * mid b i).
Proof.
  intros Ha Hb Hi Hj; assert (HI := i_square).
  replace (RtoC 2) with (RtoC 1 + 1) by (rewrite <- RtoC_plus; f_equal; ring).
  destruct a as [|[|a]]; [| |lia]; (destruct b as [|[|b]]; [| |lia]);
    (destruct i as [|[|i]]; [| |lia]); (destruct j as [|[|j]]; [| |lia]);
    unfold pauli, pauli_x, pauli_y, pauli_z, mat2, mid; simpl; ring [HI].
Qed.

Lemma pauli_word_complete (n a b i j : nat) :
  (a < 2 ^ n)%nat -> (b < 2 ^ n)%nat -> (i < 2 ^ n)%nat -> (j < 2 ^ n)%nat ->
  Csum (4 ^ n) (fun k => pauli_word n k a b * pauli_word n k i j)
  = RtoC (2 ^ n) * (mid a j * mid b i).
Proof.
  revert a b i j; induction n as [|n IH]; intros a b i j Ha Hb Hi Hj.
  - simpl in *; replace a with O by lia; replace b with O by lia.
    replace i with O by lia; replace j with O by lia; unfold mid; simpl; ring.
  - cbn [Nat.pow pow pauli_word] in *.
    destruct (below_double a _ Ha), (below_double b _ Hb).
    destruct (below_double i _ Hi), (below_double j _ Hj).
    rewrite (Nat.mul_comm 4), RtoC_mult, (mid_digits a j), (mid_digits b i); unfold kron.
    rewrite (Csum_digits (4 ^ n) 4 (fun k l =>
      pauli_word n k (a / 2)%nat (b / 2)%nat * pauli l (a mod 2)%nat (b mod 2)%nat
      * (pauli_word n k (i / 2)%nat (j / 2)%nat * pauli l (i mod 2)%nat (j mod 2)%nat))) by lia.
    transitivity (Csum (4 ^ n) (fun k =>
        pauli_word n k (a / 2)%nat (b / 2)%nat * pauli_word n k (i / 2)%nat (j / 2)%nat)
      * Csum 4 (fun l =>
        pauli l (a mod 2)%nat (b mod 2)%nat * pauli l (i mod 2)%nat (j mod 2)%nat)).
    + rewrite <- Csum_scal_r; apply Csum_ext; intros k Hk.
      rewrite <- Csum_scal; apply Csum_ext; intros; ring.
    + rewrite IH, pauli_complete by assumption; ring.
Qed.

(** The Pauli expectation values of a state, the coordinates 2^-n Tr(O Q) of an observable in the
    Pauli words, and the Pauli transfer matrices of a gate and of an encoding gate. *)
Definition pauli_means (n : nat) : vec -> nat -> R := means (2 ^ n) (pauli_word n).
Definition pauli_coordinate (n : nat) : mat -> nat -> R :=
  coordinate (2 ^ n) (pauli_word n) (2 ^ n)%R.
Definition pauli_transfer (n : nat) : mat -> nat -> nat -> R :=
  transfer (2 ^ n) (pauli_word n) (2 ^ n)%R.
Definition pauli_core (n : nat) : mat -> feature -> nat -> nat -> R :=
  core (2 ^ n) (pauli_word n) (2 ^ n)%R.

(** n qubits, any depth, any gates: the output is a chain of real 4^n x 4^n matrices, each affine in
    (1, cos alpha_g, sin alpha_g), from the Pauli means of the first state to the observable. *)
Theorem matrix_product_readout (n : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (alpha : nat -> R) : hermitian (2 ^ n) O ->
  output (2 ^ n) W P psi O L alpha =
  RtoC (Rsum (4 ^ n) (fun k => pauli_coordinate n O k *
    chain (4 ^ n) (fun l => pauli_transfer n (W l)) (fun g => pauli_core n (P g))
      (pauli_means n psi) L alpha k)%R).
Proof.
  intros H; apply chain_output.
  - apply pow_nonzero; lra.
  - intros; apply pauli_word_hermitian.
  - intros; apply pauli_word_complete; assumption.
  - assumption.
Qed.

(** The Pauli means of |0...0>: 1 for the words of 1 and Z, else 0, digit by digit. *)
Lemma pauli_means_ket0 (n k : nat) :
  pauli_means (S n) ket0 k =
  (pauli_means n ket0 (k / 4) * match k mod 4 with 0%nat | 3%nat => 1 | _ => 0 end)%R.
Proof.
  unfold pauli_means, means; cbn [pauli_word Nat.pow].
  assert (H : veq (2 ^ n * 2) ket0 (vkron 2 ket0 ket0)).
  { intros i _; unfold vkron, ket0; destruct i as [|[|i]]; [simpl; ring|simpl; ring|].
    replace (S (S i)) with (1 * 2 + i)%nat by lia.
    rewrite Nat.div_add_l by lia; simpl; ring. }
  rewrite Nat.mul_comm, (expect_ext _ _ _ _ _ (meq_refl _ _) H), expect_kron by lia.
  rewrite (expect_hermitian (2 ^ n) (pauli_word n _)) by apply pauli_word_hermitian.
  assert (Hk : (k mod 4 < 4)%nat) by (apply Nat.mod_upper_bound; lia).
  destruct (k mod 4)%nat as [|[|[|[|b]]]]; [| | | |lia];
    unfold expect at 2, inner, apply, pauli, pauli_x, pauli_y, pauli_z, mat2, mid, ket0, Re;
    simpl; ring.
Qed.

(** * One qubit: the Bloch vector *)

(** The Bloch vector (<X>, <Y>, <Z>) of a state; (1/2) Tr(O sigma_k), which for k = 0 is the
    constant part of O; the 3 x 3 matrix (1/2) Tr(V^dagger sigma_j V sigma_k) of a gate V; and the
    three matrices of an encoding gate. *)
Definition bloch_vector (v : vec) (j : nat) : R := means 2 pauli v (S j).
Definition bloch_coordinate (O : mat) (k : nat) : R := coordinate 2 pauli 2 O k.
Definition bloch_matrix (V : mat) (j k : nat) : R := transfer 2 pauli 2 V (S j) (S k).
Definition bloch_core (P : mat) (t : feature) (j k : nat) : R := core 2 pauli 2 P t (S j) (S k).

Lemma coordinate_ext (M M' : mat) (k : nat) : meq 2 M M' ->
  coordinate 2 pauli 2 M k = coordinate 2 pauli 2 M' k.
Proof.
  intros H; unfold coordinate; do 2 f_equal; apply trace_ext; apply mmul_ext;
    [assumption|apply meq_refl].
Qed.

(** The identity has the coordinates (1, 0, 0, 0); coordinate 0 of M is half of its trace. *)
Lemma coordinate_mid (a : C) (k : nat) : (k < 4)%nat ->
  coordinate 2 pauli 2 (mscal a mid) k = if Nat.eqb k 0 then Re a else 0%R.
Proof.
  intros Hk; destruct a as [p q].
  destruct k as [|[|[|[|k]]]]; [| | | |lia];
    unfold coordinate, trace, mmul, mscal, pauli, pauli_x, pauli_y, pauli_z, mat2, mid, Re; simpl;
    field.
Qed.

Lemma coordinate_zero (M : mat) :
  coordinate 2 pauli 2 M 0 = (/ 2 * Re (trace 2 M))%R.
Proof. unfold coordinate; do 2 f_equal; apply trace_ext; apply mmul_mid_r. Qed.

Lemma trace_pauli (j : nat) : trace 2 (pauli (S j)) = 0.
Proof.
  destruct j as [|[|j]]; unfold trace, pauli, pauli_x, pauli_y, pauli_z, mat2; simpl; ring.
Qed.

Lemma transfer_unital (V : mat) (k : nat) : unitary 2 V -> (k < 4)%nat ->
  transfer 2 pauli 2 V 0 k = if Nat.eqb k 0 then 1%R else 0%R.
Proof.
  intros HV Hk; unfold transfer; rewrite (coordinate_ext _ (mscal 1 mid)).
  - apply coordinate_mid; assumption.
  - intros i j Hi Hj; unfold mscal; rewrite Cmult_1_l; apply conjugate_mid; assumption.
Qed.

Lemma transfer_trace (V : mat) (j : nat) : unitary 2 V -> transfer 2 pauli 2 V (S j) 0 = 0%R.
Proof.
  intros HV; unfold transfer.
  rewrite coordinate_zero, trace_conjugate, trace_pauli by assumption; simpl; ring.
Qed.

Lemma core_unital (P : mat) (t : feature) (k : nat) :
  hermitian 2 P -> involution 2 P -> (k < 4)%nat ->
  core 2 pauli 2 P t 0 k = match t with One => if Nat.eqb k 0 then 1%R else 0%R | _ => 0%R end.
Proof.
  intros HP HI Hk; unfold core.
  rewrite (coordinate_ext _ (mscal (match t with One => RtoC 1 | _ => RtoC 0 end) mid)).
  - rewrite coordinate_mid by assumption; destruct t, (Nat.eqb k 0); reflexivity.
  - intros i j Hi Hj.
    assert (HC := conjugate_mid 2 P (involution_unitary 2 P HP HI) i j Hi Hj).
    assert (HL : mmul 2 (adj P) mid i j = P i j).
    { rewrite mmul_mid_r by assumption; apply HP; assumption. }
    assert (HR := mmul_mid_l 2 P i j Hi Hj); assert (Hh := half_plus_half).
    destruct t; unfold part, mscal, mplus; cbn [pauli]; rewrite ?HC, ?HL, ?HR; ring [Hh].
Qed.

Lemma core_trace (P : mat) (t : feature) (j : nat) : hermitian 2 P -> involution 2 P ->
  core 2 pauli 2 P t (S j) 0 = 0%R.
Proof.
  intros HP HI; unfold core; rewrite coordinate_zero.
  replace (trace 2 (part 2 P (pauli (S j)) t)) with (RtoC 0); [simpl; ring|].
  destruct t; unfold part; rewrite !trace_scal, !trace_plus, ?trace_scal.
  - rewrite trace_conjugate, trace_pauli by (apply involution_unitary; assumption); ring.
  - rewrite trace_conjugate, trace_pauli by (apply involution_unitary; assumption); ring.
  - rewrite (trace_cyclic 2 (pauli (S j)) P).
    rewrite (trace_ext 2 _ _ (mmul_ext 2 _ _ _ _ HP (meq_refl 2 (pauli (S j))))); ring.
Qed.

(** A 4 x 4 chain step that leaves the first coordinate 1 alone is a 3 x 3 step on the others. *)
Lemma rapply_block (A : nat -> nat -> R) (r : nat -> R) :
  (forall k, (k < 4)%nat -> A 0%nat k = if Nat.eqb k 0 then 1%R else 0%R) ->
  (forall j, A (S j) 0%nat = 0%R) -> r 0%nat = 1%R ->
  rapply 4 A r 0 = 1%R
  /\ forall j, rapply 4 A r (S j) = rapply 3 (fun j k => A (S j) (S k)) (fun k => r (S k)) j.
Proof.
  intros H0 H1 Hr; split.
  - unfold rapply; simpl; rewrite !H0 by lia; simpl; rewrite Hr; ring.
  - intros j; unfold rapply; simpl; rewrite H1, Hr; ring.
Qed.

Lemma bloch_state (W P : nat -> mat) (psi : vec) (L : nat) (alpha : nat -> R) :
  (forall l, (l <= L)%nat -> unitary 2 (W l)) ->
  (forall g, (g < L)%nat -> hermitian 2 (P g) /\ involution 2 (P g)) ->
  inner 2 psi psi = 1 ->
  let r4 := chain 4 (fun l => transfer 2 pauli 2 (W l)) (fun g => core 2 pauli 2 (P g))
              (means 2 pauli psi) L alpha in
  r4 0%nat = 1%R /\
  forall j, r4 (S j) = chain 3 (fun l => bloch_matrix (W l)) (fun g => bloch_core (P g))
                        (bloch_vector psi) L alpha j.
Proof.
  intros HW HP Hpsi; induction L as [|l IH]; cbn zeta in *.
  - destruct (rapply_block (transfer 2 pauli 2 (W 0%nat)) (means 2 pauli psi)) as [H0 H].
    + intros; apply transfer_unital; [apply HW; lia|assumption].
    + intros; apply transfer_trace; apply HW; lia.
    + unfold means; cbn [pauli]; rewrite expect_mid, Hpsi; reflexivity.
    + split; [exact H0|exact H].
  - destruct IH as [IH0 IH]; [intros; apply HW; lia|intros; apply HP; lia|].
    destruct (HP l) as [HPh HPi]; [lia|].
    cbn [chain].
    set (G := fun j k => (core 2 pauli 2 (P l) One j k
                          + core 2 pauli 2 (P l) Cos j k * cos (alpha l)
                          + core 2 pauli 2 (P l) Sin j k * sin (alpha l))%R).
    set (r := chain 4 _ _ _ l alpha) in *.
    destruct (rapply_block G r) as [HG0 HG]; [| |assumption|].
    + intros k Hk; unfold G; rewrite !core_unital by assumption; ring.
    + intros j; unfold G; rewrite !core_trace by assumption; ring.
    + destruct (rapply_block (transfer 2 pauli 2 (W (S l))) (rapply 4 G r)) as [HT0 HT].
      * intros; apply transfer_unital; [apply HW; lia|assumption].
      * intros; apply transfer_trace; apply HW; lia.
      * assumption.
      * split; [exact HT0|]; intros j; rewrite HT.
        apply rapply_ext; intros k Hk; rewrite HG; apply rapply_ext; intros; apply IH.
Qed.

(** One qubit, unitary W_l, encoding gates exp(- i alpha_g P_g / 2) with Hermitian P_g, P_g^2 = 1:
    the output is o_0 + o.r, where r is a chain of 3 x 3 matrices, applied to the Bloch vector of
    the first state. *)
Theorem bloch_chain (W P : nat -> mat) (psi : vec) (O : mat) (L : nat) (alpha : nat -> R) :
  (forall l, (l <= L)%nat -> unitary 2 (W l)) ->
  (forall g, (g < L)%nat -> hermitian 2 (P g) /\ involution 2 (P g)) ->
  inner 2 psi psi = 1 -> hermitian 2 O ->
  output 2 W P psi O L alpha =
  RtoC (bloch_coordinate O 0 + Rsum 3 (fun k => bloch_coordinate O (S k) *
    chain 3 (fun l => bloch_matrix (W l)) (fun g => bloch_core (P g))
      (bloch_vector psi) L alpha k))%R.
Proof.
  intros HW HP Hpsi HO; destruct (bloch_state W P psi L alpha HW HP Hpsi) as [H0 H].
  rewrite (chain_output 2 4 pauli 2); [|lra|intros; apply pauli_hermitian| |assumption].
  - f_equal; rewrite Rsum_shift, H0, Rmult_1_r; f_equal.
    apply Rsum_ext; intros k Hk; rewrite H; reflexivity.
  - intros; apply pauli_complete; assumption.
Qed.

Lemma trace_pauli_product (i j : nat) : (i < 3)%nat -> (j < 3)%nat ->
  trace 2 (mmul 2 (pauli (S i)) (pauli (S j))) = if Nat.eqb i j then RtoC 2 else RtoC 0.
Proof.
  intros Hi Hj; assert (HI := i_square).
  replace (RtoC 2) with (RtoC 1 + 1) by (rewrite <- RtoC_plus; f_equal; ring).
  destruct i as [|[|[|i]]]; [| | |lia]; (destruct j as [|[|[|j]]]; [| | |lia]);
    unfold trace, mmul, pauli, pauli_x, pauli_y, pauli_z, mat2; simpl; ring [HI].
Qed.

(** The 3 x 3 matrix of a unitary is orthogonal. *)
Theorem bloch_matrix_orthogonal (V : mat) (i j : nat) : unitary 2 V -> (i < 3)%nat -> (j < 3)%nat ->
  Rsum 3 (fun k => bloch_matrix V i k * bloch_matrix V j k)%R = if Nat.eqb i j then 1%R else 0%R.
Proof.
  intros HV Hi Hj.
  assert (H := coordinates_parseval 2 4 pauli 2 ltac:(lra)
    (fun k _ => pauli_hermitian k) pauli_complete
    (conjugate 2 V (pauli (S i))) (conjugate 2 V (pauli (S j)))
    (conjugate_hermitian 2 V _ (pauli_hermitian _))
    (conjugate_hermitian 2 V _ (pauli_hermitian _))).
  rewrite Rsum_shift in H; rewrite trace_conjugate_product, trace_pauli_product in H by assumption.
  change (coordinate 2 pauli 2 (conjugate 2 V (pauli (S i))) 0)
    with (transfer 2 pauli 2 V (S i) 0) in H.
  rewrite transfer_trace in H by assumption.
  unfold bloch_matrix, transfer.
  rewrite Rmult_0_l, Rplus_0_l in H; rewrite H.
  destruct (Nat.eqb i j); simpl; field.
Qed.

(** The determinant of a 3 x 3 matrix. *)
Definition det3 (A : nat -> nat -> R) : R :=
  (A 0%nat 0%nat * (A 1%nat 1%nat * A 2%nat 2%nat - A 1%nat 2%nat * A 2%nat 1%nat)
   - A 0%nat 1%nat * (A 1%nat 0%nat * A 2%nat 2%nat - A 1%nat 2%nat * A 2%nat 0%nat)
   + A 0%nat 2%nat * (A 1%nat 0%nat * A 2%nat 1%nat - A 1%nat 1%nat * A 2%nat 0%nat))%R.

Lemma conjugate_pauli (V : mat) (i : nat) : unitary 2 V ->
  meq 2 (conjugate 2 V (pauli (S i)))
    (fun a b => Csum 3 (fun k => RtoC (bloch_matrix V i k) * pauli (S k) a b)).
Proof.
  intros HV a b Ha Hb.
  rewrite (basis_expansion 2 4 pauli 2 ltac:(lra) pauli_complete _ a b Ha Hb).
  rewrite <- Csum_scal, Csum_shift.
  assert (H : forall k, RtoC (/ 2) * (trace 2 (mmul 2 (conjugate 2 V (pauli (S i))) (pauli k))
      * pauli k a b) = RtoC (transfer 2 pauli 2 V (S i) k) * pauli k a b).
  { intros k; unfold transfer, coordinate; rewrite RtoC_mult, <- trace_hermitian; [ring| |].
    - apply conjugate_hermitian, pauli_hermitian.
    - apply pauli_hermitian. }
  rewrite H, transfer_trace by assumption.
  rewrite (Csum_ext 3 _ (fun k => RtoC (bloch_matrix V i k) * pauli (S k) a b)); [ring|].
  intros k Hk; apply H.
Qed.

(** Its determinant is 1: with orthogonality, it is a rotation of the Bloch vector. *)
Theorem bloch_matrix_det (V : mat) : unitary 2 V -> det3 (bloch_matrix V) = 1%R.
Proof.
  intros HV; assert (HI := i_square).
  set (A := fun i => conjugate 2 V (pauli (S i))).
  assert (H1 : trace 2 (mmul 2 (A 0%nat) (mmul 2 (A 1%nat) (A 2%nat)))
               = trace 2 (mmul 2 (pauli 1) (mmul 2 (pauli 2) (pauli 3)))).
  { unfold A; rewrite <- (trace_conjugate_product 2 V (pauli 1)) by assumption.
    apply trace_ext, mmul_ext; [apply meq_refl|apply conjugate_product; assumption]. }
  assert (H2 : trace 2 (mmul 2 (pauli 1) (mmul 2 (pauli 2) (pauli 3))) = (RtoC 1 + 1) * Ci).
  { unfold trace, mmul, pauli, pauli_x, pauli_y, pauli_z, mat2; simpl; ring [HI]. }
  assert (H3 : trace 2 (mmul 2 (A 0%nat) (mmul 2 (A 1%nat) (A 2%nat)))
               = (RtoC 1 + 1) * Ci * RtoC (det3 (bloch_matrix V))).
  { unfold A; rewrite (trace_ext 2 _ _ (mmul_ext 2 _ _ _ _ (conjugate_pauli V 0 HV)
      (mmul_ext 2 _ _ _ _ (conjugate_pauli V 1 HV) (conjugate_pauli V 2 HV)))).
    unfold det3; rewrite RtoC_plus, RtoC_minus, !RtoC_mult, !RtoC_minus, !RtoC_mult.
    unfold trace, mmul, pauli, pauli_x, pauli_y, pauli_z, mat2; simpl.
    generalize (bloch_matrix V); intros B; ring [HI]. }
  rewrite H1, H2 in H3; clear H1 H2.
  unfold Ci, RtoC, Cmult, Cplus in H3; simpl in H3; injection H3; lra.
Qed.

(** * Instances with numbers *)

(** The Bloch matrices of rotations by a: those about Z turn x towards y, about X y towards z, about
    Y z towards x. A wrong sign of the sine or a doubled angle would show here. *)
Definition rows (r0 r1 r2 : nat -> R) (j : nat) : nat -> R :=
  match j with O => r0 | 1%nat => r1 | _ => r2 end.
Definition row (x y z : R) (k : nat) : R := match k with O => x | 1%nat => y | _ => z end.

Lemma coordinate_pauli (r : R) (j k : nat) : (j < 3)%nat -> (k < 3)%nat ->
  coordinate 2 pauli 2 (mscal (RtoC r) (pauli (S j))) (S k) = if Nat.eqb j k then r else 0%R.
Proof.
  intros Hj Hk; unfold coordinate.
  replace (trace 2 (mmul 2 (mscal (RtoC r) (pauli (S j))) (pauli (S k))))
    with (RtoC r * trace 2 (mmul 2 (pauli (S j)) (pauli (S k)))).
  - rewrite trace_pauli_product by assumption; destruct (Nat.eqb j k); simpl; field.
  - unfold trace, mmul, mscal; rewrite <- Csum_scal; apply Csum_ext; intros a Ha.
    rewrite <- Csum_scal; apply Csum_ext; intros; ring.
Qed.

(** sigma_q after a rotation about sigma_p: itself if p = q; else sigma_q cos a + sigma_m sin a with
    m the third of the three; the sign of the sine is - if q follows p in x -> y -> z -> x. *)
Definition third (p q : nat) : nat := (3 - p - q)%nat.
Definition sine_sign (p q : nat) : R :=
  match p, q with 0%nat, 1%nat => (- (1))%R | 1%nat, 2%nat => (- (1))%R | 2%nat, 0%nat => (- (1))%R
  | _, _ => 1%R end.

Lemma part_pauli (p q : nat) (t : feature) : (p < 3)%nat -> (q < 3)%nat ->
  meq 2 (part 2 (pauli (S p)) (pauli (S q)) t)
    (if Nat.eqb p q then mscal (RtoC (match t with One => 1 | _ => 0 end)) (pauli (S q))
     else match t with
          | One => mscal (RtoC 0) (pauli (S q))
          | Cos => mscal (RtoC 1) (pauli (S q))
          | Sin => mscal (RtoC (sine_sign p q)) (pauli (S (third p q)))
          end).
Proof.
  intros Hp Hq; assert (HI := i_square); assert (Hh := half_plus_half).
  destruct p as [|[|[|p]]]; [| | |lia]; (destruct q as [|[|[|q]]]; [| | |lia]);
    destruct t; meq2;
    unfold sine_sign, third, part, conjugate, mscal, mplus, mmul, adj,
      pauli, pauli_x, pauli_y, pauli_z, mat2; simpl Csum; cbn [Nat.eqb Nat.sub];
    rewrite ?RtoC_opp; push_conj; ring [HI Hh].
Qed.

Lemma core_pauli (p j k : nat) (t : feature) : (p < 3)%nat -> (j < 3)%nat -> (k < 3)%nat ->
  bloch_core (pauli (S p)) t j k =
  if Nat.eqb p j then (match t with One => if Nat.eqb j k then 1 else 0 | _ => 0 end)%R
  else match t with
       | One => 0%R
       | Cos => if Nat.eqb j k then 1%R else 0%R
       | Sin => if Nat.eqb (third p j) k then sine_sign p j else 0%R
       end.
Proof.
  intros Hp Hj Hk; unfold bloch_core, core.
  rewrite (coordinate_ext _ _ _ (part_pauli p j t Hp Hj)).
  destruct (Nat.eqb_spec p j) as [->|Hne]; [|destruct t];
    rewrite coordinate_pauli; try assumption.
  - destruct t, (Nat.eqb j k); reflexivity.
  - destruct (Nat.eqb j k); reflexivity.
  - reflexivity.
  - reflexivity.
  - unfold third; lia.
Qed.

Ltac bloch_entries :=
  rewrite !core_pauli by lia;
  repeat match goal with
         | H : (?j < 3)%nat |- _ => is_var j; destruct j as [|[|[|j]]]; [| | |lia]; clear H
         end; simpl; ring.

Example bloch_core_z (a : R) (j k : nat) : (j < 3)%nat -> (k < 3)%nat ->
  (bloch_core (pauli 3) One j k + bloch_core (pauli 3) Cos j k * cos a
   + bloch_core (pauli 3) Sin j k * sin a)%R =
  rows (row (cos a) (- sin a) 0) (row (sin a) (cos a) 0) (row 0 0 1) j k.
Proof. intros Hj Hk; bloch_entries. Qed.

Example bloch_core_x (a : R) (j k : nat) : (j < 3)%nat -> (k < 3)%nat ->
  (bloch_core (pauli 1) One j k + bloch_core (pauli 1) Cos j k * cos a
   + bloch_core (pauli 1) Sin j k * sin a)%R =
  rows (row 1 0 0) (row 0 (cos a) (- sin a)) (row 0 (sin a) (cos a)) j k.
Proof. intros Hj Hk; bloch_entries. Qed.

Example bloch_core_y (a : R) (j k : nat) : (j < 3)%nat -> (k < 3)%nat ->
  (bloch_core (pauli 2) One j k + bloch_core (pauli 2) Cos j k * cos a
   + bloch_core (pauli 2) Sin j k * sin a)%R =
  rows (row (cos a) 0 (sin a)) (row 0 1 0) (row (- sin a) 0 (cos a)) j k.
Proof. intros Hj Hk; bloch_entries. Qed.

(** The state |0> has the Bloch vector (0, 0, 1). *)
Example bloch_ket0 (j : nat) : (j < 3)%nat -> bloch_vector ket0 j = row 0 0 1 j.
Proof.
  intros Hj; destruct j as [|[|[|j]]]; [| | |lia];
    unfold bloch_vector, means, expect, inner, apply, ket0, pauli, pauli_x, pauli_y, pauli_z, mat2,
      Re; simpl; ring.
Qed.

(** The Pauli words of two qubits: word 7 = 13 in base 4 is X x Z, with 1 at row 00, column 10 and
    -1 at row 01, column 11. *)
Example pauli_word_instance :
  pauli_word 2 7 0%nat 2%nat = 1 /\ pauli_word 2 7 1%nat 3%nat = - RtoC 1.
Proof.
  unfold pauli_word, kron, pauli, pauli_x, pauli_z, mat2, mid; simpl; split; ring.
Qed.

(** The tensor of <Z> on RY(a)|0>: 0, 1, 0 for 1, cos, sin. *)
Example tensor_instance (t : feature) :
  tensor 2 (fun _ => mid) (fun _ => pauli_y) ket0 pauli_z 1 (fun _ => t) =
  match t with Cos => RtoC 1 | _ => RtoC 0 end.
Proof.
  assert (HI := i_square); assert (Hh := half_plus_half).
  destruct t; unfold tensor; simpl coefficient;
    unfold expect, inner, apply, part, conjugate, mscal, mplus, mmul, adj, mid, ket0, pauli_y,
      pauli_z, mat2; simpl Csum; cbn [Nat.eqb]; push_conj; ring [HI Hh].
Qed.
