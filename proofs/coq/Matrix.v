(** Complex matrices and vectors of any dimension [d], as functions of indices below [d].
    Proved: the rules that a quantum expectation value <v|O|v> needs (adjoint, product, the step
    to the Heisenberg picture), those of Kronecker products, and the multiplication table of the
    Pauli matrices; and the rules of sums over words, as in "sum over n in {-1, 0, 1}^L". *)

From Coq Require Import Reals ZArith List Lia Lra.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly.
Import ListNotations.
Local Open Scope C_scope.

(** * Complex conjugation and real numbers *)

Lemma i_square : Ci * Ci = - RtoC 1.
Proof. unfold Ci, Cmult, Copp, RtoC; simpl; f_equal; ring. Qed.

Lemma half_plus_half : RtoC (1 / 2) + RtoC (1 / 2) = 1.
Proof. rewrite <- RtoC_plus; f_equal; field. Qed.

Lemma real_of_conj (z : C) : Cconj z = z -> z = RtoC (Re z).
Proof.
  destruct z as [a b]; unfold Cconj, RtoC, Re; simpl; intros H.
  injection H as H; f_equal; lra.
Qed.

Ltac push_conj :=
  repeat first [rewrite Cconj_plus | rewrite Cconj_minus | rewrite Cconj_mult | rewrite Cconj_opp
               | rewrite Cconj_R | rewrite Cconj_i | rewrite Cconj_conj].

(** * Finite sums: [Csum], [Rsum] (TrigPoly.v); products: [Cprod], [Rprod] *)

Fixpoint Rprod (n : nat) (f : nat -> R) : R :=
  match n with O => 1%R | S m => (Rprod m f * f m)%R end.

Fixpoint Cprod (n : nat) (f : nat -> C) : C :=
  match n with O => RtoC 1 | S m => Cprod m f * f m end.

Lemma Cprod_ext (n : nat) (f g : nat -> C) :
  (forall i, (i < n)%nat -> f i = g i) -> Cprod n f = Cprod n g.
Proof.
  induction n as [|n IH]; simpl; intros H; [reflexivity|].
  rewrite IH, H; auto.
Qed.

Lemma Cprod_R (n : nat) (f : nat -> R) : Cprod n (fun i => RtoC (f i)) = RtoC (Rprod n f).
Proof. induction n as [|n IH]; simpl; [reflexivity|rewrite IH, RtoC_mult; reflexivity]. Qed.

Lemma Cprod_cis (n : nat) (f : nat -> R) : Cprod n (fun i => cis (f i)) = cis (Rsum n f).
Proof.
  induction n as [|n IH]; simpl; [symmetry; apply cis_0|rewrite IH, cis_plus; reflexivity].
Qed.

Lemma Csum_zero (n : nat) (f : nat -> C) :
  (forall i, (i < n)%nat -> f i = RtoC 0) -> Csum n f = 0.
Proof.
  induction n as [|n IH]; simpl; intros H; [reflexivity|].
  rewrite IH, H; auto; ring.
Qed.

(** A sum over the indices below n m, as a double sum over quotient and remainder by m. *)
Lemma Csum_digits (n m : nat) (f : nat -> nat -> C) : m <> O ->
  Csum (n * m) (fun k => f (k / m)%nat (k mod m)%nat) = Csum n (fun a => Csum m (fun b => f a b)).
Proof.
  intros Hm; induction n as [|n IH]; [reflexivity|].
  replace (S n * m)%nat with (n * m + m)%nat by lia.
  rewrite Csum_split, IH; simpl; f_equal.
  apply Csum_ext; intros i Hi.
  rewrite Nat.div_add_l, Nat.div_small, Nat.add_0_r by assumption.
  rewrite Nat.add_comm, Nat.mod_add, Nat.mod_small by assumption; reflexivity.
Qed.

Lemma Rprod_ext (n : nat) (f g : nat -> R) :
  (forall i, (i < n)%nat -> f i = g i) -> Rprod n f = Rprod n g.
Proof.
  induction n as [|n IH]; simpl; intros H; [reflexivity|].
  rewrite IH, H; auto.
Qed.

Lemma Rsum_zero (n : nat) (f : nat -> R) :
  (forall i, (i < n)%nat -> f i = 0%R) -> Rsum n f = 0%R.
Proof.
  induction n as [|n IH]; simpl; intros H; [reflexivity|].
  rewrite IH, H; auto; ring.
Qed.

(** * Sums over lists and over words *)

(** [Clsum F l] and [Rlsum F l]: the sum of F over the members of the list l. *)
Fixpoint Clsum {A : Type} (F : A -> C) (l : list A) : C :=
  match l with [] => RtoC 0 | a :: l' => F a + Clsum F l' end.

Fixpoint Rlsum {A : Type} (F : A -> R) (l : list A) : R :=
  match l with [] => 0%R | a :: l' => (F a + Rlsum F l')%R end.

(** [update n g m]: the sequence n with the entry of place g replaced by m. *)
Definition update {A : Type} (n : nat -> A) (g : nat) (m : A) : nat -> A :=
  fun h => if Nat.eqb h g then m else n h.

(** [words letters z L]: all words n_0 ... n_(L-1) in the letters, each as a function of the place
    (places from L on hold the letter z, which no sum ever reads). *)
Fixpoint words {A : Type} (letters : list A) (z : A) (L : nat) : list (nat -> A) :=
  match L with
  | O => [fun _ => z]
  | S l => flat_map (fun n => map (update n l) letters) (words letters z l)
  end.

Lemma update_same {A : Type} (n : nat -> A) (g : nat) (m : A) : update n g m g = m.
Proof. unfold update; rewrite Nat.eqb_refl; reflexivity. Qed.

Lemma update_other {A : Type} (n : nat -> A) (g h : nat) (m : A) :
  h <> g -> update n g m h = n h.
Proof. intros H; unfold update; apply Nat.eqb_neq in H; rewrite H; reflexivity. Qed.

(** There are |letters|^L words of length L. *)
Lemma words_length {A : Type} (letters : list A) (z : A) (L : nat) :
  length (words letters z L) = (length letters ^ L)%nat.
Proof.
  induction L as [|L IH]; simpl; [reflexivity|].
  rewrite <- IH; generalize (words letters z L); intros l.
  induction l as [|n l IHl]; simpl; [lia|].
  rewrite app_length, map_length, IHl; lia.
Qed.

Lemma words_in {A : Type} (letters : list A) (z : A) (L : nat) (n : nat -> A) :
  In n (words letters z L) -> forall g, (g < L)%nat -> In (n g) letters.
Proof.
  revert n; induction L as [|L IH]; intros n Hn g Hg; [lia|].
  simpl in Hn; apply in_flat_map in Hn; destruct Hn as [n' [Hn' Hn]].
  apply in_map_iff in Hn; destruct Hn as [m [<- Hm]].
  destruct (Nat.eq_dec g L) as [->|Hne].
  - rewrite update_same; assumption.
  - rewrite update_other by assumption; apply IH; [assumption|lia].
Qed.

(** Every choice of letters is a word: the list is complete (up to places that do not matter). *)
Lemma words_complete {A : Type} (letters : list A) (z : A) (L : nat) (n : nat -> A) :
  (forall g, (g < L)%nat -> In (n g) letters) ->
  exists n', In n' (words letters z L) /\ forall g, (g < L)%nat -> n' g = n g.
Proof.
  induction L as [|L IH]; intros H.
  - exists (fun _ => z); split; [left; reflexivity|intros; lia].
  - destruct IH as [n' [Hin Heq]]; [intros; apply H; lia|].
    exists (update n' L (n L)); split.
    + simpl; apply in_flat_map; exists n'; split; [assumption|].
      apply in_map; apply H; lia.
    + intros g Hg; destruct (Nat.eq_dec g L) as [->|Hne].
      * apply update_same.
      * rewrite update_other by assumption; apply Heq; lia.
Qed.

Lemma clsum_app {A : Type} (F : A -> C) (l l' : list A) :
  Clsum F (l ++ l') = Clsum F l + Clsum F l'.
Proof. induction l as [|a l IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma clsum_ext_in {A : Type} (F G : A -> C) (l : list A) :
  (forall a, In a l -> F a = G a) -> Clsum F l = Clsum G l.
Proof.
  induction l as [|a l IH]; simpl; intros H; [reflexivity|].
  rewrite H, IH; auto.
Qed.

Lemma clsum_ext {A : Type} (F G : A -> C) (l : list A) :
  (forall a, F a = G a) -> Clsum F l = Clsum G l.
Proof. intros H; apply clsum_ext_in; auto. Qed.

Lemma clsum_plus {A : Type} (F G : A -> C) (l : list A) :
  Clsum (fun a => F a + G a) l = Clsum F l + Clsum G l.
Proof. induction l as [|a l IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma clsum_scal {A : Type} (x : C) (F : A -> C) (l : list A) :
  Clsum (fun a => x * F a) l = x * Clsum F l.
Proof. induction l as [|a l IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma clsum_scal_r {A : Type} (x : C) (F : A -> C) (l : list A) :
  Clsum (fun a => F a * x) l = Clsum F l * x.
Proof. induction l as [|a l IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma clsum_swap {A B : Type} (F : A -> B -> C) (l : list A) (l' : list B) :
  Clsum (fun a => Clsum (fun b => F a b) l') l = Clsum (fun b => Clsum (fun a => F a b) l) l'.
Proof.
  induction l as [|a l IH]; simpl.
  - induction l' as [|b l' IH']; simpl; [reflexivity|rewrite <- IH'; ring].
  - rewrite IH, clsum_plus; reflexivity.
Qed.

Lemma clsum_map {A B : Type} (F : B -> C) (h : A -> B) (l : list A) :
  Clsum F (map h l) = Clsum (fun a => F (h a)) l.
Proof. induction l as [|a l IH]; simpl; [reflexivity|rewrite IH; reflexivity]. Qed.

(** A sum over words of length L + 1 is a sum over words of length L and the last letter. *)
Lemma clsum_words {A : Type} (F : (nat -> A) -> C) (letters : list A) (z : A) (L : nat) :
  Clsum F (words letters z (S L)) =
  Clsum (fun n => Clsum (fun m => F (update n L m)) letters) (words letters z L).
Proof.
  simpl; induction (words letters z L) as [|n l IH]; simpl; [reflexivity|].
  rewrite clsum_app, IH, clsum_map; reflexivity.
Qed.

Lemma clsum_real {A : Type} (F : A -> R) (l : list A) :
  Clsum (fun a => RtoC (F a)) l = RtoC (Rlsum F l).
Proof. induction l as [|a l IH]; simpl; [reflexivity|rewrite IH, RtoC_plus; reflexivity]. Qed.

Lemma rlsum_ext_in {A : Type} (F G : A -> R) (l : list A) :
  (forall a, In a l -> F a = G a) -> Rlsum F l = Rlsum G l.
Proof.
  induction l as [|a l IH]; simpl; intros H; [reflexivity|].
  rewrite H, IH; auto.
Qed.

Lemma rlsum_app {A : Type} (F : A -> R) (l l' : list A) :
  Rlsum F (l ++ l') = (Rlsum F l + Rlsum F l')%R.
Proof. induction l as [|a l IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma rlsum_map {A B : Type} (F : B -> R) (h : A -> B) (l : list A) :
  Rlsum F (map h l) = Rlsum (fun a => F (h a)) l.
Proof. induction l as [|a l IH]; simpl; [reflexivity|rewrite IH; reflexivity]. Qed.

Lemma rlsum_plus {A : Type} (F G : A -> R) (l : list A) :
  Rlsum (fun a => (F a + G a)%R) l = (Rlsum F l + Rlsum G l)%R.
Proof. induction l as [|a l IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma rlsum_scal {A : Type} (x : R) (F : A -> R) (l : list A) :
  Rlsum (fun a => (x * F a)%R) l = (x * Rlsum F l)%R.
Proof. induction l as [|a l IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma rlsum_words {A : Type} (F : (nat -> A) -> R) (letters : list A) (z : A) (L : nat) :
  Rlsum F (words letters z (S L)) =
  Rlsum (fun n => Rlsum (fun m => F (update n L m)) letters) (words letters z L).
Proof.
  simpl; induction (words letters z L) as [|n l IH]; simpl; [reflexivity|].
  rewrite rlsum_app, IH, rlsum_map; reflexivity.
Qed.

(** * Vectors and matrices *)

Definition vec := nat -> C.
Definition mat := nat -> nat -> C.

(** The product A v, the inner product <u|v>, and the expectation value <v|O|v>. *)
Definition apply (d : nat) (A : mat) (v : vec) : vec := fun i => Csum d (fun j => A i j * v j).
Definition inner (d : nat) (u v : vec) : C := Csum d (fun i => Cconj (u i) * v i).
Definition expect (d : nat) (O : mat) (v : vec) : C := inner d v (apply d O v).

Definition mmul (d : nat) (A B : mat) : mat := fun i k => Csum d (fun j => A i j * B j k).
Definition adj (A : mat) : mat := fun i j => Cconj (A j i).
Definition mid : mat := fun i j => if Nat.eqb i j then RtoC 1 else RtoC 0.
Definition mplus (A B : mat) : mat := fun i j => A i j + B i j.
Definition mscal (a : C) (A : mat) : mat := fun i j => a * A i j.
Definition trace (d : nat) (A : mat) : C := Csum d (fun i => A i i).

(** Equality of two vectors, of two matrices of dimension d: indices from d on do not matter. *)
Definition veq (d : nat) (u v : vec) : Prop := forall i, (i < d)%nat -> u i = v i.
Definition meq (d : nat) (A B : mat) : Prop :=
  forall i j, (i < d)%nat -> (j < d)%nat -> A i j = B i j.

Definition hermitian (d : nat) (A : mat) : Prop := meq d (adj A) A.
Definition unitary (d : nat) (A : mat) : Prop :=
  meq d (mmul d (adj A) A) mid /\ meq d (mmul d A (adj A)) mid.
Definition involution (d : nat) (P : mat) : Prop := meq d (mmul d P P) mid.

Lemma inner_ext (d : nat) (u u' v v' : vec) :
  veq d u u' -> veq d v v' -> inner d u v = inner d u' v'.
Proof. intros Hu Hv; apply Csum_ext; intros i Hi; rewrite (Hu i Hi), (Hv i Hi); reflexivity. Qed.

Lemma apply_ext (d : nat) (A A' : mat) (v v' : vec) :
  meq d A A' -> veq d v v' -> veq d (apply d A v) (apply d A' v').
Proof.
  intros HA Hv i Hi; apply Csum_ext; intros j Hj.
  rewrite (HA i j Hi Hj), (Hv j Hj); reflexivity.
Qed.

Lemma expect_ext (d : nat) (O O' : mat) (v v' : vec) :
  meq d O O' -> veq d v v' -> expect d O v = expect d O' v'.
Proof. intros HO Hv; apply inner_ext; [assumption|apply apply_ext; assumption]. Qed.

Lemma veq_refl (d : nat) (v : vec) : veq d v v.
Proof. intros i Hi; reflexivity. Qed.

Lemma meq_refl (d : nat) (A : mat) : meq d A A.
Proof. intros i j Hi Hj; reflexivity. Qed.

Lemma meq_sym (d : nat) (A B : mat) : meq d A B -> meq d B A.
Proof. intros H i j Hi Hj; symmetry; apply H; assumption. Qed.

Lemma meq_trans (d : nat) (A B D : mat) : meq d A B -> meq d B D -> meq d A D.
Proof. intros H H' i j Hi Hj; rewrite H by assumption; apply H'; assumption. Qed.

Lemma mmul_ext (d : nat) (A A' B B' : mat) :
  meq d A A' -> meq d B B' -> meq d (mmul d A B) (mmul d A' B').
Proof.
  intros HA HB i j Hi Hj; apply Csum_ext; intros k Hk.
  rewrite HA, HB by assumption; reflexivity.
Qed.

Lemma inner_plus_r (d : nat) (u v w : vec) :
  inner d u (fun i => v i + w i) = inner d u v + inner d u w.
Proof.
  unfold inner; rewrite <- Csum_plus; apply Csum_ext; intros; ring.
Qed.

Lemma inner_scal_r (d : nat) (u v : vec) (a : C) :
  inner d u (fun i => a * v i) = a * inner d u v.
Proof.
  unfold inner; rewrite <- Csum_scal; apply Csum_ext; intros; ring.
Qed.

Lemma inner_conj (d : nat) (u v : vec) : Cconj (inner d u v) = inner d v u.
Proof.
  unfold inner; rewrite Csum_conj; apply Csum_ext; intros; push_conj; ring.
Qed.

Lemma inner_plus_l (d : nat) (u v w : vec) :
  inner d (fun i => u i + v i) w = inner d u w + inner d v w.
Proof.
  unfold inner; rewrite <- Csum_plus; apply Csum_ext; intros; push_conj; ring.
Qed.

Lemma inner_scal_l (d : nat) (u v : vec) (a : C) :
  inner d (fun i => a * u i) v = Cconj a * inner d u v.
Proof.
  unfold inner; rewrite <- Csum_scal; apply Csum_ext; intros; push_conj; ring.
Qed.

Lemma apply_plus_mat (d : nat) (A B : mat) (v : vec) (i : nat) :
  apply d (mplus A B) v i = apply d A v i + apply d B v i.
Proof.
  unfold apply, mplus; rewrite <- Csum_plus; apply Csum_ext; intros; ring.
Qed.

Lemma apply_scal_mat (d : nat) (a : C) (A : mat) (v : vec) (i : nat) :
  apply d (mscal a A) v i = a * apply d A v i.
Proof.
  unfold apply, mscal; rewrite <- Csum_scal; apply Csum_ext; intros; ring.
Qed.

Lemma apply_plus_vec (d : nat) (A : mat) (u v : vec) (i : nat) :
  apply d A (fun j => u j + v j) i = apply d A u i + apply d A v i.
Proof.
  unfold apply; rewrite <- Csum_plus; apply Csum_ext; intros; ring.
Qed.

Lemma apply_scal_vec (d : nat) (A : mat) (a : C) (v : vec) (i : nat) :
  apply d A (fun j => a * v j) i = a * apply d A v i.
Proof.
  unfold apply; rewrite <- Csum_scal; apply Csum_ext; intros; ring.
Qed.

Lemma apply_mmul (d : nat) (A B : mat) (v : vec) (i : nat) :
  apply d (mmul d A B) v i = apply d A (apply d B v) i.
Proof.
  unfold apply, mmul.
  rewrite (Csum_ext d _ (fun j => Csum d (fun k => A i k * B k j * v j))).
  2: { intros; rewrite <- Csum_scal_r; reflexivity. }
  rewrite Csum_swap; apply Csum_ext; intros k Hk.
  rewrite <- Csum_scal; apply Csum_ext; intros; ring.
Qed.

Lemma Csum_delta (d : nat) (f : nat -> C) (i : nat) : (i < d)%nat ->
  Csum d (fun j => mid i j * f j) = f i.
Proof.
  induction d as [|d IH]; simpl; intros Hi; [lia|].
  unfold mid at 2; destruct (Nat.eqb_spec i d) as [->|Hne].
  - rewrite Csum_zero; [ring|]; intros j Hj; unfold mid.
    destruct (Nat.eqb_spec d j); [lia|ring].
  - rewrite IH by lia; ring.
Qed.

Lemma apply_mid (d : nat) (v : vec) : veq d (apply d mid v) v.
Proof. intros i Hi; unfold apply; apply Csum_delta; assumption. Qed.

Lemma mid_sym (i j : nat) : mid i j = mid j i.
Proof. unfold mid; rewrite Nat.eqb_sym; reflexivity. Qed.

Lemma mmul_mid_l (d : nat) (A : mat) : meq d (mmul d mid A) A.
Proof. intros i j Hi Hj; unfold mmul; apply (Csum_delta d (fun k => A k j)); assumption. Qed.

Lemma mmul_mid_r (d : nat) (A : mat) : meq d (mmul d A mid) A.
Proof.
  intros i j Hi Hj; unfold mmul.
  rewrite (Csum_ext d _ (fun k => mid j k * A i k)).
  - apply (Csum_delta d (fun k => A i k)); assumption.
  - intros; rewrite mid_sym; ring.
Qed.

Lemma mmul_assoc (d : nat) (A B D : mat) (i j : nat) :
  mmul d (mmul d A B) D i j = mmul d A (mmul d B D) i j.
Proof. apply (apply_mmul d A B (fun k => D k j) i). Qed.

Lemma adj_mmul (d : nat) (A B : mat) (i j : nat) :
  adj (mmul d A B) i j = mmul d (adj B) (adj A) i j.
Proof.
  unfold adj, mmul; rewrite Csum_conj; apply Csum_ext; intros; push_conj; ring.
Qed.

Lemma adj_mid (i j : nat) : adj mid i j = mid i j.
Proof.
  unfold adj; rewrite mid_sym; unfold mid; destruct (Nat.eqb i j); apply Cconj_R.
Qed.

Lemma adj_adj (A : mat) (i j : nat) : adj (adj A) i j = A i j.
Proof. unfold adj; apply Cconj_conj. Qed.

(** <A u|v> = <u|A^dagger v>. *)
Lemma inner_adjoint (d : nat) (A : mat) (u v : vec) :
  inner d (apply d A u) v = inner d u (apply d (adj A) v).
Proof.
  unfold inner, apply, adj.
  rewrite (Csum_ext d _ (fun i => Csum d (fun j => Cconj (A i j) * Cconj (u j) * v i))).
  2: { intros i Hi; rewrite Csum_conj, <- Csum_scal_r; apply Csum_ext; intros.
       push_conj; reflexivity. }
  rewrite Csum_swap; apply Csum_ext; intros j Hj.
  rewrite <- Csum_scal; apply Csum_ext; intros; ring.
Qed.

(** [conjugate d A O] is A^dagger O A: the observable O, moved to before the gate A. *)
Definition conjugate (d : nat) (A O : mat) : mat := mmul d (adj A) (mmul d O A).

(** The step to the Heisenberg picture: <A v|O|A v> = <v|A^dagger O A|v>. *)
Lemma expect_apply (d : nat) (O A : mat) (v : vec) :
  expect d O (apply d A v) = expect d (conjugate d A O) v.
Proof.
  unfold expect, conjugate; rewrite inner_adjoint; apply inner_ext; [apply veq_refl|].
  intros i Hi; rewrite apply_mmul; unfold apply at 1 3; apply Csum_ext; intros j Hj.
  rewrite apply_mmul; reflexivity.
Qed.

Lemma expect_plus (d : nat) (A B : mat) (v : vec) :
  expect d (mplus A B) v = expect d A v + expect d B v.
Proof.
  unfold expect; rewrite <- inner_plus_r; apply inner_ext; [apply veq_refl|].
  intros i Hi; apply apply_plus_mat.
Qed.

Lemma expect_scal (d : nat) (a : C) (A : mat) (v : vec) :
  expect d (mscal a A) v = a * expect d A v.
Proof.
  unfold expect; rewrite <- inner_scal_r; apply inner_ext; [apply veq_refl|].
  intros i Hi; apply apply_scal_mat.
Qed.

Lemma expect_adj (d : nat) (A : mat) (v : vec) :
  expect d (adj A) v = Cconj (expect d A v).
Proof. unfold expect; rewrite inner_conj, inner_adjoint; reflexivity. Qed.

(** The expectation value of a Hermitian observable is real. *)
Lemma expect_hermitian (d : nat) (O : mat) (v : vec) :
  hermitian d O -> expect d O v = RtoC (Re (expect d O v)).
Proof.
  intros H; apply real_of_conj; rewrite <- expect_adj.
  apply expect_ext; [assumption|apply veq_refl].
Qed.

Lemma expect_mid (d : nat) (v : vec) : expect d mid v = inner d v v.
Proof. apply inner_ext; [apply veq_refl|apply apply_mid]. Qed.

Lemma conjugate_ext (d : nat) (A A' O O' : mat) :
  meq d A A' -> meq d O O' -> meq d (conjugate d A O) (conjugate d A' O').
Proof.
  intros HA HO; apply mmul_ext.
  - intros i j Hi Hj; unfold adj; rewrite HA by assumption; reflexivity.
  - apply mmul_ext; assumption.
Qed.

Lemma conjugate_adj (d : nat) (A O : mat) (i j : nat) :
  adj (conjugate d A O) i j = conjugate d A (adj O) i j.
Proof.
  unfold conjugate; rewrite adj_mmul.
  rewrite <- mmul_assoc; unfold mmul at 1 3; apply Csum_ext; intros k Hk.
  rewrite adj_mmul, adj_adj; reflexivity.
Qed.

Lemma conjugate_hermitian (d : nat) (A O : mat) :
  hermitian d O -> hermitian d (conjugate d A O).
Proof.
  intros H i j Hi Hj; rewrite conjugate_adj.
  apply conjugate_ext; auto using meq_refl.
Qed.

Lemma trace_cyclic (d : nat) (A B : mat) : trace d (mmul d A B) = trace d (mmul d B A).
Proof.
  unfold trace, mmul; rewrite Csum_swap; apply Csum_ext; intros i Hi.
  apply Csum_ext; intros; ring.
Qed.

Lemma trace_ext (d : nat) (A B : mat) : meq d A B -> trace d A = trace d B.
Proof. intros H; apply Csum_ext; intros; apply H; assumption. Qed.

Lemma trace_plus (d : nat) (A B : mat) : trace d (mplus A B) = trace d A + trace d B.
Proof. apply Csum_plus. Qed.

Lemma trace_scal (d : nat) (a : C) (A : mat) : trace d (mscal a A) = a * trace d A.
Proof. apply Csum_scal. Qed.

(** The trace does not change under conjugation by a unitary. *)
Lemma trace_conjugate (d : nat) (V M : mat) : unitary d V ->
  trace d (conjugate d V M) = trace d M.
Proof.
  intros [_ HV]; unfold conjugate; rewrite trace_cyclic; apply trace_ext; intros i j Hi Hj.
  rewrite mmul_assoc.
  rewrite (mmul_ext d M M _ _ (meq_refl d M) HV i j Hi Hj); apply mmul_mid_r; assumption.
Qed.

Lemma conjugate_mid (d : nat) (V : mat) : unitary d V -> meq d (conjugate d V mid) mid.
Proof.
  intros [HV _] i j Hi Hj; unfold conjugate.
  rewrite (mmul_ext d _ _ _ _ (meq_refl d (adj V)) (mmul_mid_l d V) i j Hi Hj).
  apply HV; assumption.
Qed.

(** V^dagger M V V^dagger M' V = V^dagger M M' V for unitary V. *)
Lemma conjugate_product (d : nat) (V M M' : mat) : unitary d V ->
  meq d (mmul d (conjugate d V M) (conjugate d V M')) (conjugate d V (mmul d M M')).
Proof.
  intros [_ HV]; unfold conjugate.
  eapply meq_trans; [intros i j _ _; apply mmul_assoc|].
  apply mmul_ext; [apply meq_refl|].
  eapply meq_trans; [intros i j _ _; apply mmul_assoc|].
  eapply meq_trans; [|intros i j _ _; symmetry; apply mmul_assoc].
  apply mmul_ext; [apply meq_refl|].
  eapply meq_trans; [intros i j _ _; symmetry; apply mmul_assoc|].
  eapply meq_trans; [apply mmul_ext; [exact HV|apply meq_refl]|apply mmul_mid_l].
Qed.

Lemma trace_conjugate_product (d : nat) (V M M' : mat) : unitary d V ->
  trace d (mmul d (conjugate d V M) (conjugate d V M')) = trace d (mmul d M M').
Proof.
  intros HV; rewrite <- (trace_conjugate d V (mmul d M M') HV); apply trace_ext.
  apply conjugate_product; assumption.
Qed.

Lemma involution_unitary (d : nat) (P : mat) : hermitian d P -> involution d P -> unitary d P.
Proof.
  intros HP HI; split; eapply meq_trans; try exact HI; apply mmul_ext;
    assumption || apply meq_refl.
Qed.

Lemma trace_adj (d : nat) (A : mat) : trace d (adj A) = Cconj (trace d A).
Proof. unfold trace, adj; rewrite Csum_conj; reflexivity. Qed.

(** The trace of the product of two Hermitian matrices is real. *)
Lemma trace_hermitian (d : nat) (A B : mat) : hermitian d A -> hermitian d B ->
  trace d (mmul d A B) = RtoC (Re (trace d (mmul d A B))).
Proof.
  intros HA HB; apply real_of_conj; rewrite <- trace_adj, trace_cyclic.
  apply trace_ext; intros i j Hi Hj; rewrite adj_mmul.
  apply mmul_ext; assumption.
Qed.

(** * Kronecker products; [n] is the dimension of the second factor *)

Definition kron (n : nat) (A B : mat) : mat :=
  fun i j => A (i / n)%nat (j / n)%nat * B (i mod n)%nat (j mod n)%nat.
Definition vkron (n : nat) (u v : vec) : vec := fun i => u (i / n)%nat * v (i mod n)%nat.

Lemma inner_kron (m n : nat) (u u' v v' : vec) : n <> O ->
  inner (m * n) (vkron n u v) (vkron n u' v') = inner m u u' * inner n v v'.
Proof.
  intros Hn; unfold inner, vkron.
  rewrite (Csum_digits m n (fun a b => Cconj (u a * v b) * (u' a * v' b)) Hn).
  rewrite <- Csum_scal_r; apply Csum_ext; intros a Ha.
  rewrite <- Csum_scal; apply Csum_ext; intros; push_conj; ring.
Qed.

Lemma apply_kron (m n : nat) (A B : mat) (u v : vec) (i : nat) : n <> O ->
  apply (m * n) (kron n A B) (vkron n u v) i = vkron n (apply m A u) (apply n B v) i.
Proof.
  intros Hn; unfold apply, kron, vkron.
  rewrite (Csum_digits m n (fun a b => A (i / n)%nat a * B (i mod n)%nat b * (u a * v b)) Hn).
  rewrite <- Csum_scal_r; apply Csum_ext; intros a Ha.
  rewrite <- Csum_scal; apply Csum_ext; intros; ring.
Qed.

Lemma mmul_kron (m n : nat) (A B A' B' : mat) (i j : nat) : n <> O ->
  mmul (m * n) (kron n A B) (kron n A' B') i j = kron n (mmul m A A') (mmul n B B') i j.
Proof.
  intros Hn; unfold mmul, kron.
  rewrite (Csum_digits m n (fun a b => A (i / n)%nat a * B (i mod n)%nat b
    * (A' a (j / n)%nat * B' b (j mod n)%nat)) Hn).
  rewrite <- Csum_scal_r; apply Csum_ext; intros a Ha.
  rewrite <- Csum_scal; apply Csum_ext; intros; ring.
Qed.

(** In a product state, the expectation value of a product is the product of the two. *)
Lemma expect_kron (m n : nat) (A B : mat) (u v : vec) : n <> O ->
  expect (m * n) (kron n A B) (vkron n u v) = expect m A u * expect n B v.
Proof.
  intros Hn; unfold expect; rewrite <- inner_kron by assumption.
  apply inner_ext; [apply veq_refl|]; intros i Hi; apply apply_kron; assumption.
Qed.

(** * One qubit: 2 x 2 matrices *)

Definition mat2 (a b c d : C) : mat := fun i j =>
  match i, j with O, O => a | O, _ => b | _, O => c | _, _ => d end.
Definition vec2 (a b : C) : vec := fun i => match i with O => a | _ => b end.

(** The Pauli matrices, [pauli 0] to [pauli 3]: 1, X, Y, Z. *)
Definition pauli_x : mat := mat2 0 1 1 0.
Definition pauli_y : mat := mat2 0 (- Ci) Ci 0.
Definition pauli_z : mat := mat2 1 0 0 (- (1)).
Definition pauli (k : nat) : mat :=
  match k with O => mid | 1%nat => pauli_x | 2%nat => pauli_y | _ => pauli_z end.

(** The state |0>, of any dimension. *)
Definition ket0 : vec := fun i => match i with O => RtoC 1 | _ => RtoC 0 end.

(** The rotation exp(- i a P / 2) = cos(a/2) - i sin(a/2) P, where P^2 = 1. *)
Definition rotation (P : mat) (a : R) : mat :=
  mplus (mscal (RtoC (cos (a / 2))) mid) (mscal (- (Ci * RtoC (sin (a / 2)))) P).

Ltac meq2 := intros [|[|?]] [|[|?]] ? ?; try lia.
