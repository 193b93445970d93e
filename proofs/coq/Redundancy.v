(** Repeated features are redundant before an affine layer: an affine layer over L copies of F
    features equals an affine layer over one copy, with the columns of the copies summed, for any
    numbers of copies, features and rows, and both have the same set of functions. So L re-uploads
    with equal scales add no function to a layer whose first step is affine; with different scales,
    or behind products, they do. *)

From Coq Require Import Reals ZArith Lia Lra.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly.
Local Open Scope R_scope.

(** Row i of an affine layer over m inputs h: b_i + sum_k A_ik h_k. *)
Definition affine (m : nat) (A : nat -> nat -> R) (b : nat -> R) (h : nat -> R) (i : nat) : R :=
  b i + Rsum m (fun k => A i k * h k).

(** Copies of F features one after the other: feature k mod F in place k. *)
Definition copies (F : nat) (h : nat -> R) (k : nat) : R := h (k mod F)%nat.

(** The columns that belong to the same feature, summed: those of the places l F + j, l < L. *)
Definition summed (L F : nat) (A : nat -> nat -> R) (i j : nat) : R :=
  Rsum L (fun l => A i (l * F + j)%nat).

Lemma rsum_split (n m : nat) (f : nat -> R) :
  Rsum (n + m) f = Rsum n f + Rsum m (fun i => f (n + i)%nat).
Proof.
  induction m as [|m IH]; [rewrite Nat.add_0_r; simpl; ring|].
  rewrite Nat.add_succ_r; simpl; rewrite IH; ring.
Qed.

Lemma rsum_blocks (L F : nat) (f : nat -> R) :
  Rsum (L * F) f = Rsum L (fun l => Rsum F (fun j => f (l * F + j)%nat)).
Proof.
  induction L as [|L IH]; [reflexivity|].
  replace (S L * F)%nat with (L * F + F)%nat by lia.
  rewrite rsum_split, IH; reflexivity.
Qed.

(** An affine layer over L copies is the affine layer with summed columns over one copy. *)
Theorem redundancy (L F : nat) (A : nat -> nat -> R) (b h : nat -> R) (i : nat) :
  affine (L * F) A b (copies F h) i = affine F (summed L F A) b h i.
Proof.
  unfold affine, copies, summed; f_equal.
  rewrite rsum_blocks, Rsum_swap; apply Rsum_ext; intros j Hj.
  rewrite <- Rsum_scal_r; apply Rsum_ext; intros l Hl.
  rewrite Nat.add_comm, Nat.mod_add, Nat.mod_small by lia; reflexivity.
Qed.

(** Whatever follows the m rows, such as the rest of an MLP, gives the same output. *)
Corollary redundancy_network {X : Type} (g : (nat -> R) -> X) (m : nat)
  (L F : nat) (A : nat -> nat -> R) (b h : nat -> R) :
  (forall u u', (forall i, (i < m)%nat -> u i = u' i) -> g u = g u') ->
  g (affine (L * F) A b (copies F h)) = g (affine F (summed L F A) b h).
Proof. intros Hg; apply Hg; intros; apply redundancy. Qed.

(** Conversely an affine layer over one copy is one over L + 1 copies: the sets of functions are
    the same. *)
Theorem redundancy_converse (L F : nat) (A : nat -> nat -> R) (b : nat -> R) :
  exists A' : nat -> nat -> R, forall (h : nat -> R) (i : nat),
    affine (S L * F) A' b (copies F h) i = affine F A b h i.
Proof.
  exists (fun i k => if Nat.ltb k F then A i k else 0); intros h i.
  rewrite redundancy; unfold affine, summed; f_equal; apply Rsum_ext; intros j Hj; f_equal.
  rewrite Rsum_shift; simpl.
  destruct (Nat.ltb_spec j F); [|lia].
  rewrite (Rsum_ext L _ (fun _ => 0)); [rewrite Rsum_0; ring|].
  intros l Hl; destruct (Nat.ltb_spec (F + l * F + j) F); [lia|reflexivity].
Qed.

(** * Q-RUN elements *)

(** The features of an element with the phase phi: cos(s_l phi), sin(s_l phi), l = 0 ... L - 1. *)
Definition reuploads (s : nat -> R) (phi : R) (k : nat) : R :=
  if Nat.eqb (k mod 2) 0 then cos (s (k / 2)%nat * phi) else sin (s (k / 2)%nat * phi).

(** L re-uploads of equal scale s before an affine layer: an affine layer over one re-upload. *)
Theorem equal_scales_redundant (L : nat) (s phi : R) (A : nat -> nat -> R) (b : nat -> R)
  (i : nat) :
  affine (L * 2) A b (reuploads (fun _ => s) phi) i =
  b i + Rsum L (fun l => A i (l * 2)%nat) * cos (s * phi)
  + Rsum L (fun l => A i (l * 2 + 1)%nat) * sin (s * phi).
Proof.
  transitivity (affine (L * 2) A b (copies 2 (reuploads (fun _ => s) phi)) i).
  - unfold affine; f_equal; apply Rsum_ext; intros k Hk; unfold copies, reuploads.
    rewrite Nat.mod_mod by lia; reflexivity.
  - rewrite redundancy; unfold affine, summed, reuploads; simpl.
    rewrite (Rsum_ext L (fun l => A i (l * 2 + 0)%nat) (fun l => A i (l * 2)%nat)).
    + ring.
    + intros l Hl; rewrite Nat.add_0_r; reflexivity.
Qed.

(** And so for every network whose first layer is affine, such as the MLP readout of the Q-RUN
    layer: L re-uploads of equal scale give what one gives. *)
Corollary equal_scales_network {X : Type} (g : (nat -> R) -> X) (m : nat)
  (L : nat) (s phi : R) (A : nat -> nat -> R) (b : nat -> R) :
  (forall u u', (forall i, (i < m)%nat -> u i = u' i) -> g u = g u') ->
  g (affine (L * 2) A b (reuploads (fun _ => s) phi)) =
  g (affine (1 * 2) (summed L 2 A) b (reuploads (fun _ => s) phi)).
Proof.
  intros Hg; apply Hg; intros i _; rewrite equal_scales_redundant; unfold affine, summed, reuploads.
  simpl; rewrite (Rsum_ext L (fun l => A i (l * 2 + 0)%nat) (fun l => A i (l * 2)%nat)).
  - ring.
  - intros l Hl; rewrite Nat.add_0_r; reflexivity.
Qed.

(** * Where copies are not redundant *)

(** Scales 1 and 2: cos x + cos 2x is no a + b cos x + c sin x. *)
Example different_scales_enrich :
  ~ exists a b c : R, forall x, cos x + cos (2 * x) = a + b * cos x + c * sin x.
Proof.
  intros [a [b [c H]]].
  assert (H0 := H 0); assert (H1 := H PI); assert (H2 := H (PI / 2)); assert (H3 := H (- (PI / 2))).
  rewrite Rmult_0_r, cos_0, sin_0 in H0.
  rewrite cos_2PI, cos_PI, sin_PI in H1.
  replace (2 * (PI / 2)) with PI in H2 by field; rewrite cos_PI, cos_PI2, sin_PI2 in H2.
  replace (2 * - (PI / 2)) with (- PI) in H3 by field.
  rewrite !cos_neg, sin_neg, cos_PI, cos_PI2, sin_PI2 in H3; lra.
Qed.

(** A product of two copies: cos^2 x is no a + b cos x + c sin x. *)
Example products_enrich :
  ~ exists a b c : R, forall x, cos x * cos x = a + b * cos x + c * sin x.
Proof.
  intros [a [b [c H]]].
  assert (H0 := H 0); assert (H1 := H PI); assert (H2 := H (PI / 2)); assert (H3 := H (- (PI / 2))).
  rewrite cos_0, sin_0 in H0; rewrite cos_PI, sin_PI in H1.
  rewrite cos_PI2, sin_PI2 in H2; rewrite cos_neg, sin_neg, cos_PI2, sin_PI2 in H3; lra.
Qed.

(** Two copies of one feature 7 with the weights 2 and 3: 1 + 5 * 7 = 36. *)
Example redundancy_instance :
  affine (2 * 1) (fun _ k => INR k + 2) (fun _ => 1) (copies 1 (fun _ => 7)) 0 = 36
  /\ summed 2 1 (fun _ k => INR k + 2) 0 0 = 5.
Proof. unfold affine, summed, copies; simpl; split; ring. Qed.
