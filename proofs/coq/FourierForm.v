(** The output of a data re-uploading circuit is a finite Fourier series. For every depth L, every
    dimension d, all d x d matrices W_0, ..., W_L and O, and all encoding gates
    exp(- i alpha_g P_g / 2), the function alpha -> <psi|U(alpha)^dagger O U(alpha)|psi> is
    sum over n in {-1, 0, 1}^L of c_n e^(i n.alpha), where c_(-n) = conj c_n for Hermitian O.
    So real scales, alpha_g = s_g x + b_g, give the signed sums of the scales as frequencies, and
    equal scales a trigonometric polynomial of degree at most L. *)

From Coq Require Import Reals ZArith List Lia Lra.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly Matrix Element.
Import ListNotations.
Local Open Scope C_scope.

(** * The circuit *)

(** [state d W P psi L alpha]: the state U(alpha)|psi> of
      U(alpha) = W_L S_(L-1) W_(L-1) ... S_0 W_0,   S_g = exp(- i alpha_g P_g / 2).
    The W_l are any d x d matrices; n qubits are d = 2^n; one has psi = [ket0] for a circuit that
    starts in |0...0>. S_g is [rotation (P g) (alpha g)] = cos(alpha_g/2) - i sin(alpha_g/2) P_g,
    which is the exponential where P_g^2 = 1 ([rotation_derivative], Element.v). *)
Fixpoint state (d : nat) (W P : nat -> mat) (psi : vec) (L : nat) (alpha : nat -> R) : vec :=
  match L with
  | O => apply d (W O) psi
  | S l => apply d (W (S l)) (apply d (rotation (P l) (alpha l)) (state d W P psi l alpha))
  end.

(** [output d W P psi O L alpha]: the expectation value <psi|U(alpha)^dagger O U(alpha)|psi>. *)
Definition output (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (alpha : nat -> R) : C := expect d O (state d W P psi L alpha).

(** * One encoding gate *)

(** The three functions of an angle that an expectation value is made of. *)
Inductive feature := One | Cos | Sin.

Definition value (t : feature) (a : R) : R :=
  match t with One => 1%R | Cos => cos a | Sin => sin a end.

(** Conjugation by a rotation: S^dagger M S = M_One + M_Cos cos a + M_Sin sin a, with
    M_One = (M + P^dagger M P)/2, M_Cos = (M - P^dagger M P)/2, M_Sin = i(P^dagger M - M P)/2. *)
Definition part (d : nat) (P M : mat) (t : feature) : mat :=
  match t with
  | One => mscal (RtoC (1 / 2)) (mplus M (conjugate d P M))
  | Cos => mscal (RtoC (1 / 2)) (mplus M (mscal (- RtoC 1) (conjugate d P M)))
  | Sin => mscal (RtoC (1 / 2) * Ci)
             (mplus (mmul d (adj P) M) (mscal (- RtoC 1) (mmul d M P)))
  end.

Lemma expect_rotation (d : nat) (P M : mat) (v : vec) (a : R) :
  expect d M (apply d (rotation P a) v) =
  Clsum (fun t => expect d (part d P M t) v * RtoC (value t a)) [One; Cos; Sin].
Proof.
  set (c := RtoC (cos (a / 2))). set (s := RtoC (sin (a / 2))).
  set (p := apply d P v). set (m := apply d M v). set (q := apply d M p).
  assert (Hv : veq d (apply d (rotation P a) v) (fun i => c * v i + - (Ci * s) * p i)).
  { intros i Hi; unfold rotation; rewrite apply_plus_mat, !apply_scal_mat.
    rewrite apply_mid by assumption; reflexivity. }
  assert (HM : veq d (apply d M (apply d (rotation P a) v))
                 (fun i => c * m i + - (Ci * s) * q i)).
  { intros i Hi.
    rewrite (apply_ext d M M _ _ (meq_refl d M) Hv i Hi).
    rewrite apply_plus_vec, !apply_scal_vec; reflexivity. }
  assert (Hl : expect d M (apply d (rotation P a) v) =
    c * c * inner d v m + s * s * inner d p q
    + Ci * s * c * (inner d p m - inner d v q)).
  { unfold expect; rewrite (inner_ext d _ _ _ _ Hv HM).
    rewrite inner_plus_l, !inner_plus_r, !inner_scal_l, !inner_scal_r.
    unfold c, s; push_conj.
    assert (H := i_square).
    transitivity (RtoC (cos (a / 2)) * RtoC (cos (a / 2)) * inner d v m
      - (Ci * Ci) * RtoC (sin (a / 2)) * RtoC (sin (a / 2)) * inner d p q
      + Ci * RtoC (sin (a / 2)) * RtoC (cos (a / 2)) * (inner d p m - inner d v q)); [ring|].
    rewrite H; ring. }
  rewrite Hl; cbn [Clsum part value].
  rewrite !expect_scal, !expect_plus, !expect_scal, <- expect_apply.
  replace (expect d (mmul d (adj P) M) v) with (inner d p m).
  2: { unfold expect, p; rewrite inner_adjoint; apply inner_ext; [apply veq_refl|].
       intros i Hi; symmetry; apply apply_mmul. }
  replace (expect d (mmul d M P) v) with (inner d v q).
  2: { apply inner_ext; [apply veq_refl|]; intros i Hi; symmetry; apply apply_mmul. }
  change (expect d M v) with (inner d v m).
  change (expect d M (apply d P v)) with (inner d p q).
  replace (RtoC 1) with (c * c + s * s) at 1.
  2: { unfold c, s; rewrite <- !RtoC_mult, <- RtoC_plus; f_equal.
       generalize (sin2_cos2 (a / 2)); unfold Rsqr; lra. }
  replace (RtoC (cos a)) with (c * c - s * s).
  2: { unfold c, s; rewrite <- !RtoC_mult, <- RtoC_minus; f_equal.
       rewrite <- cos_plus; f_equal; field. }
  replace (RtoC (sin a)) with (RtoC 2 * s * c).
  2: { unfold c, s; rewrite <- !RtoC_mult; f_equal.
       rewrite <- sin_2a; f_equal; field. }
  replace (RtoC 2) with (RtoC 1 + 1) by (rewrite <- RtoC_plus; f_equal; ring).
  assert (Hh := half_plus_half). set (h := RtoC (1 / 2)) in *.
  transitivity ((h + h) * (c * c * inner d v m + s * s * inner d p q
    + Ci * s * c * (inner d p m - inner d v q))); [rewrite Hh|]; ring.
Qed.

(** * Expansion gate by gate, from the last to the first *)

(** Let conjugation by a rotation be a sum of terms [Q P M m] with factors [phi m a], m in a list of
    letters. [coefficient n] conjugates O by W_L, takes the term n_(L-1), conjugates it by W_(L-1),
    and so on; at last it is an expectation value behind W_0. *)
Section Expansion.

Variables (d : nat) (W P : nat -> mat) (psi : vec).
Variables (A : Type) (letters : list A) (z : A).
Variables (Q : mat -> mat -> A -> mat) (phi : A -> R -> C).

Fixpoint coefficient (L : nat) (O : mat) (n : nat -> A) : C :=
  match L with
  | O => expect d O (apply d (W 0%nat) psi)
  | S l => coefficient l (Q (P l) (conjugate d (W (S l)) O) (n l)) n
  end.

Lemma coefficient_ext (L : nat) (O : mat) (n n' : nat -> A) :
  (forall g, (g < L)%nat -> n g = n' g) -> coefficient L O n = coefficient L O n'.
Proof.
  revert O; induction L as [|l IH]; intros O H; simpl; [reflexivity|].
  rewrite H by lia; apply IH; intros; apply H; lia.
Qed.

Hypothesis rotation_terms : forall (P M : mat) (v : vec) (a : R),
  expect d M (apply d (rotation P a) v) = Clsum (fun m => expect d (Q P M m) v * phi m a) letters.

Lemma expansion (L : nat) (O : mat) (alpha : nat -> R) :
  output d W P psi O L alpha =
  Clsum (fun n => coefficient L O n * Cprod L (fun g => phi (n g) (alpha g))) (words letters z L).
Proof.
  revert O; induction L as [|l IH]; intros O.
  - unfold output; simpl; ring.
  - unfold output; cbn [state]; rewrite expect_apply, rotation_terms.
    rewrite clsum_words.
    transitivity (Clsum (fun m => Clsum (fun n =>
        coefficient l (Q (P l) (conjugate d (W (S l)) O) m) n
        * Cprod l (fun g => phi (n g) (alpha g)) * phi m (alpha l)) (words letters z l)) letters).
    + apply clsum_ext; intros m; rewrite clsum_scal_r; f_equal; apply IH.
    + rewrite clsum_swap; apply clsum_ext; intros n; apply clsum_ext; intros m.
      cbn [coefficient Cprod]; rewrite update_same, Cmult_assoc; f_equal; f_equal.
      * apply coefficient_ext; intros; symmetry; apply update_other; lia.
      * apply Cprod_ext; intros; rewrite update_other by lia; reflexivity.
Qed.

End Expansion.

(** * The Fourier form *)

(** The terms with e^(i m a), m in {-1, 0, 1}, of conjugation by a rotation. *)
Definition fourier_part (d : nat) (P M : mat) (m : Z) : mat :=
  match m with
  | Z0 => part d P M One
  | Zpos _ => mscal (RtoC (1 / 2)) (mplus (part d P M Cos) (mscal (- Ci) (part d P M Sin)))
  | Zneg _ => mscal (RtoC (1 / 2)) (mplus (part d P M Cos) (mscal Ci (part d P M Sin)))
  end.

Definition signs : list Z := [(-1)%Z; 0%Z; 1%Z].

(** The coefficient c_n of the word n. *)
Definition fourier_coefficient (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (n : nat -> Z) : C := coefficient d W P psi Z (fourier_part d) L O n.

Lemma expect_rotation_fourier (d : nat) (P M : mat) (v : vec) (a : R) :
  expect d M (apply d (rotation P a) v) =
  Clsum (fun m => expect d (fourier_part d P M m) v * cis (IZR m * a)) signs.
Proof.
  rewrite expect_rotation; unfold signs; cbn [Clsum fourier_part value].
  rewrite !expect_scal, !expect_plus, !expect_scal.
  assert (Hcis : forall t, cis t = RtoC (cos t) + Ci * RtoC (sin t)).
  { intros t; unfold cis, Ci, RtoC, Cplus, Cmult; simpl; f_equal; ring. }
  rewrite Rmult_0_l, Rmult_1_l, cis_0.
  replace (-1 * a)%R with (- a)%R by ring.
  rewrite !Hcis, cos_neg, sin_neg, RtoC_opp.
  assert (Hh := half_plus_half); assert (Hi := i_square).
  set (h := RtoC (1 / 2)) in *; set (c := RtoC (cos a)); set (s := RtoC (sin a)).
  set (p := expect d (part d P M Cos) v); set (q := expect d (part d P M Sin) v).
  set (r := expect d (part d P M One) v).
  transitivity (r + (h + h) * p * c - (h + h) * (Ci * Ci) * q * s); [rewrite Hh, Hi|]; ring.
Qed.

(** The output is a sum of exponentials of the signed sums n.alpha of the angles, for every depth,
    all matrices and all angles. *)
Theorem fourier_form (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (alpha : nat -> R) :
  output d W P psi O L alpha =
  Clsum (fun n => fourier_coefficient d W P psi O L n
                  * cis (Rsum L (fun g => IZR (n g) * alpha g)%R))
    (words signs 0%Z L).
Proof.
  rewrite (expansion d W P psi Z signs 0%Z (fourier_part d) (fun m a => cis (IZR m * a))).
  - apply clsum_ext; intros n; rewrite Cprod_cis; reflexivity.
  - intros; apply expect_rotation_fourier.
Qed.

(** * Hermitian observables: conjugate-symmetric coefficients *)

Lemma part_adj (d : nat) (P M : mat) (t : feature) (i j : nat) :
  adj (part d P M t) i j = part d P (adj M) t i j.
Proof.
  assert (HC : Cconj (conjugate d P M j i) = conjugate d P (adj M) i j)
    by apply conjugate_adj.
  assert (HL : Cconj (mmul d (adj P) M j i) = mmul d (adj M) P i j).
  { change (adj (mmul d (adj P) M) i j = mmul d (adj M) P i j).
    rewrite adj_mmul; apply Csum_ext; intros; rewrite adj_adj; reflexivity. }
  assert (HR : Cconj (mmul d M P j i) = mmul d (adj P) (adj M) i j) by apply adj_mmul.
  destruct t; unfold part, adj at 1, mscal, mplus; push_conj; rewrite ?HC, ?HL, ?HR;
    try change (Cconj (M j i)) with (adj M i j); ring.
Qed.

Lemma fourier_part_adj (d : nat) (P M : mat) (m : Z) (i j : nat) :
  adj (fourier_part d P M m) i j = fourier_part d P (adj M) (- m) i j.
Proof.
  destruct m; cbn [fourier_part Z.opp]; [apply part_adj| |];
    unfold adj at 1, mscal, mplus; push_conj;
    rewrite <- !part_adj; unfold adj; ring.
Qed.

Lemma part_ext (d : nat) (P M M' : mat) (t : feature) :
  meq d M M' -> meq d (part d P M t) (part d P M' t).
Proof.
  intros H i j Hi Hj.
  assert (HC := conjugate_ext d P P M M' (meq_refl d P) H i j Hi Hj).
  assert (HL := mmul_ext d (adj P) (adj P) M M' (meq_refl _ _) H i j Hi Hj).
  assert (HR := mmul_ext d M M' P P H (meq_refl _ _) i j Hi Hj).
  destruct t; unfold part, mscal, mplus; rewrite ?HC, ?HL, ?HR, ?(H i j Hi Hj); reflexivity.
Qed.

Lemma fourier_part_ext (d : nat) (P M M' : mat) (m : Z) :
  meq d M M' -> meq d (fourier_part d P M m) (fourier_part d P M' m).
Proof.
  intros H i j Hi Hj; destruct m; unfold fourier_part, mscal, mplus;
    rewrite !(part_ext d P M M' _ H i j Hi Hj); reflexivity.
Qed.

Lemma fourier_coefficient_ext (d : nat) (W P : nat -> mat) (psi : vec) (O O' : mat) (L : nat)
  (n : nat -> Z) : meq d O O' ->
  fourier_coefficient d W P psi O L n = fourier_coefficient d W P psi O' L n.
Proof.
  unfold fourier_coefficient; revert O O'; induction L as [|l IH]; intros O O' H; simpl.
  - apply expect_ext; [assumption|apply veq_refl].
  - apply IH; apply fourier_part_ext; apply conjugate_ext; [apply meq_refl|assumption].
Qed.

Lemma fourier_coefficient_adj (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (n : nat -> Z) :
  fourier_coefficient d W P psi (adj O) L (fun g => (- n g)%Z) =
  Cconj (fourier_coefficient d W P psi O L n).
Proof.
  unfold fourier_coefficient; revert O; induction L as [|l IH]; intros O; simpl.
  - apply expect_adj.
  - rewrite <- IH; apply fourier_coefficient_ext; intros i j Hi Hj.
    rewrite fourier_part_adj; apply fourier_part_ext; try assumption.
    intros i' j' Hi' Hj'; symmetry; apply conjugate_adj.
Qed.

(** c_(-n) = conj c_n for Hermitian O. *)
Theorem fourier_coefficient_symmetric (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (n : nat -> Z) : hermitian d O ->
  fourier_coefficient d W P psi O L (fun g => (- n g)%Z) =
  Cconj (fourier_coefficient d W P psi O L n).
Proof.
  intros H; rewrite <- fourier_coefficient_adj; symmetry.
  apply fourier_coefficient_ext; assumption.
Qed.

(** The output is real for Hermitian O. *)
Theorem output_real (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (alpha : nat -> R) : hermitian d O ->
  output d W P psi O L alpha = RtoC (Re (output d W P psi O L alpha)).
Proof. intros H; apply expect_hermitian; assumption. Qed.

(** * Real scales: the frequencies are the signed sums of the scales *)

Lemma rsum_affine (L : nat) (n : nat -> Z) (s b : nat -> R) (x : R) :
  Rsum L (fun g => IZR (n g) * (s g * x + b g))%R =
  (Rsum L (fun g => IZR (n g) * s g) * x + Rsum L (fun g => IZR (n g) * b g))%R.
Proof. induction L as [|L IH]; simpl; [ring|rewrite IH; ring]. Qed.

Lemma rsum_neg (L : nat) (n : nat -> Z) (b : nat -> R) :
  Rsum L (fun g => IZR (- n g) * b g)%R = (- Rsum L (fun g => IZR (n g) * b g))%R.
Proof. induction L as [|L IH]; simpl; [ring|rewrite IH, opp_IZR; ring]. Qed.

(** One feature x, angles alpha_g = s_g x + b_g with any real scales s_g: the output is a sum over
    n in {-1, 0, 1}^L of c_n e^(i (n.s) x), with c_(-n) = conj c_n for Hermitian O. *)
Theorem fourier_form_scales (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (s b : nat -> R) :
  exists c : (nat -> Z) -> C,
    (forall x : R,
      output d W P psi O L (fun g => s g * x + b g)%R =
      Clsum (fun n => c n * cis (Rsum L (fun g => IZR (n g) * s g)%R * x)) (words signs 0%Z L))
    /\ (hermitian d O -> forall n, c (fun g => (- n g)%Z) = Cconj (c n)).
Proof.
  exists (fun n => fourier_coefficient d W P psi O L n
                   * cis (Rsum L (fun g => IZR (n g) * b g)%R)); split.
  - intros x; rewrite fourier_form; apply clsum_ext; intros n.
    rewrite rsum_affine, cis_plus; ring.
  - intros H n; rewrite fourier_coefficient_symmetric, rsum_neg, cis_opp by assumption.
    push_conj; reflexivity.
Qed.

(** F features x_j, angles alpha_g = sum_j a_gj x_j + b_g: the frequencies, one for each feature,
    are sum_g n_g a_gj. *)
Theorem fourier_form_features (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L F : nat)
  (a : nat -> nat -> R) (b : nat -> R) :
  exists c : (nat -> Z) -> C,
    (forall x : nat -> R,
      output d W P psi O L (fun g => Rsum F (fun j => a g j * x j) + b g)%R =
      Clsum (fun n => c n * cis (Rsum F (fun j => Rsum L (fun g => IZR (n g) * a g j) * x j)%R))
        (words signs 0%Z L))
    /\ (hermitian d O -> forall n, c (fun g => (- n g)%Z) = Cconj (c n)).
Proof.
  exists (fun n => fourier_coefficient d W P psi O L n
                   * cis (Rsum L (fun g => IZR (n g) * b g)%R)); split.
  - intros x; rewrite fourier_form; apply clsum_ext; intros n.
    replace (Rsum L (fun g => IZR (n g) * (Rsum F (fun j => a g j * x j) + b g)))%R
      with (Rsum L (fun g => IZR (n g) * b g)
            + Rsum F (fun j => Rsum L (fun g => IZR (n g) * a g j) * x j))%R.
    + rewrite cis_plus; ring.
    + rewrite (Rsum_ext F _ (fun j => Rsum L (fun g => IZR (n g) * (a g j * x j))%R)).
      2: { intros j Hj; rewrite <- Rsum_scal_r; apply Rsum_ext; intros; ring. }
      rewrite Rsum_swap, <- Rsum_plus; apply Rsum_ext; intros g Hg.
      rewrite Rsum_scal; ring.
  - intros H n; rewrite fourier_coefficient_symmetric, rsum_neg, cis_opp by assumption.
    push_conj; reflexivity.
Qed.

(** * Integer scales: a trigonometric polynomial *)

Fixpoint Nsum (n : nat) (f : nat -> nat) : nat :=
  match n with O => O | S m => (Nsum m f + f m)%nat end.

Lemma is_trig_clsum {A : Type} (K : nat) (f : A -> R -> C) (l : list A) :
  (forall a, In a l -> is_trig K (f a)) -> is_trig K (fun x => Clsum (fun a => f a x) l).
Proof.
  induction l as [|a l IH]; intros H; simpl; [apply is_trig_zero|].
  apply is_trig_plus; [apply H; left; reflexivity|apply IH; intros; apply H; right; assumption].
Qed.

Lemma is_trig_cprod (L : nat) (z : nat -> Z) (n : nat -> Z) (b : nat -> R) :
  (forall g, (g < L)%nat -> In (n g) signs) ->
  is_trig (Nsum L (fun g => Z.abs_nat (z g)))
    (fun x => Cprod L (fun g => cis (IZR (n g) * (IZR (z g) * x + b g)))).
Proof.
  induction L as [|L IH]; intros Hn; simpl; [apply is_trig_const|].
  apply is_trig_mult; [apply IH; intros; apply Hn; lia|].
  apply is_trig_ext with (fun x => cis (IZR (n L) * b L) * cis (IZR (n L * z L) * x)).
  - intros x; rewrite <- cis_plus, mult_IZR; f_equal; ring.
  - apply is_trig_scal, is_trig_cis.
    destruct (Hn L) as [H|[H|[H|[]]]]; [lia| | |]; rewrite <- H; lia.
Qed.

(** A real-valued trigonometric polynomial has conjugate-symmetric coefficients. *)
Lemma is_trig_symmetric (K : nat) (f : R -> C) :
  is_trig K f -> (forall x, Cconj (f x) = f x) ->
  exists c : Z -> C, (forall x, f x = trig_poly K c x) /\ (forall k, c (- k)%Z = Cconj (c k)).
Proof.
  intros [c Hc] Hf.
  exists (fun k => RtoC (1 / 2) * (c k + Cconj (c (- k)%Z))); split.
  - intros x; rewrite trig_poly_scal, trig_poly_plus, <- trig_poly_conj, <- Hc, Hf.
    transitivity ((RtoC (1 / 2) + RtoC (1 / 2)) * f x); [rewrite half_plus_half|]; ring.
  - intros k; push_conj; rewrite Z.opp_involutive; ring.
Qed.

(** Integer scales z_g: the output is a trigonometric polynomial of degree at most sum_g |z_g|. *)
Theorem fourier_form_integer_scales (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (z : nat -> Z) (b : nat -> R) :
  is_trig (Nsum L (fun g => Z.abs_nat (z g)))
    (fun x => output d W P psi O L (fun g => IZR (z g) * x + b g)%R).
Proof.
  apply is_trig_ext with (fun x => Clsum (fun n => fourier_coefficient d W P psi O L n
    * Cprod L (fun g => cis (IZR (n g) * (IZR (z g) * x + b g)))) (words signs 0%Z L)).
  - intros x; rewrite fourier_form; apply clsum_ext; intros n; rewrite Cprod_cis; reflexivity.
  - apply is_trig_clsum; intros n Hn; apply is_trig_scal.
    apply is_trig_cprod; eapply words_in; eassumption.
Qed.

Lemma nsum_ones (L : nat) : Nsum L (fun _ => Z.abs_nat 1) = L.
Proof. induction L as [|L IH]; simpl in *; [reflexivity|rewrite IH; lia]. Qed.

(** Scale 1 in each of the L encoding gates: a trigonometric polynomial of degree at most L. *)
Theorem fourier_form_degree (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat) :
  exists c : Z -> C, forall x : R, output d W P psi O L (fun _ => x) = trig_poly L c x.
Proof.
  assert (H := fourier_form_integer_scales d W P psi O L (fun _ => 1%Z) (fun _ => 0%R)).
  rewrite nsum_ones in H; destruct H as [c Hc]; exists c; intros x; rewrite <- Hc.
  unfold output; replace (fun _ : nat => (1 * x + 0)%R) with (fun _ : nat => x); [reflexivity|].
  replace (1 * x + 0)%R with x by ring; reflexivity.
Qed.

(** For Hermitian O it has c_(-k) = conj c_k, and its values are real. *)
Theorem fourier_form_degree_hermitian (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat) :
  hermitian d O ->
  exists c : Z -> C,
    (forall k, c (- k)%Z = Cconj (c k))
    /\ (forall x : R, output d W P psi O L (fun _ => x) = trig_poly L c x)
    /\ (forall x : R, Im (output d W P psi O L (fun _ => x)) = 0%R).
Proof.
  intros H.
  assert (Hr : forall x, Cconj (output d W P psi O L (fun _ => x))
                         = output d W P psi O L (fun _ => x)).
  { intros x; rewrite output_real by assumption; apply Cconj_R. }
  destruct (is_trig_symmetric L _ (fourier_form_degree d W P psi O L) Hr) as [c [Hc Hs]].
  exists c; split; [assumption|]; split; [assumption|].
  intros x; apply Im_0_conj; apply Hr.
Qed.

(** * One qubit and n qubits *)

(** One qubit that starts in |0>, all 2 x 2 matrices W_0 ... W_L, every O, any generators. *)
Corollary fourier_form_one_qubit (W P : nat -> mat) (O : mat) (L : nat) :
  exists c : Z -> C, forall x : R, output 2 W P ket0 O L (fun _ => x) = trig_poly L c x.
Proof. apply fourier_form_degree. Qed.

(** n qubits that start in |0...0>, all 2^n x 2^n matrices W_0 ... W_L, every Hermitian O. *)
Corollary fourier_form_n_qubits (n : nat) (W P : nat -> mat) (O : mat) (L : nat) :
  hermitian (2 ^ n) O ->
  exists c : Z -> C,
    (forall k, c (- k)%Z = Cconj (c k))
    /\ (forall x : R, output (2 ^ n) W P ket0 O L (fun _ => x) = trig_poly L c x)
    /\ (forall x : R, Im (output (2 ^ n) W P ket0 O L (fun _ => x)) = 0%R).
Proof. apply fourier_form_degree_hermitian. Qed.

(** * Instances with numbers *)

(** The coefficients of <Z> on RY(a)|0>, which is cos a: 1/2, 0, 1/2. *)
Example fourier_coefficient_instance :
  let c := fun m : Z => fourier_coefficient 2 (fun _ => mid) (fun _ => pauli_y) ket0 pauli_z 1
                          (fun _ => m) in
  c (-1)%Z = RtoC (1 / 2) /\ c 0%Z = 0 /\ c 1%Z = RtoC (1 / 2).
Proof.
  assert (HI := i_square); assert (Hh := half_plus_half).
  assert (Hq : RtoC (1 / 2) * RtoC (1 / 2) + RtoC (1 / 2) * RtoC (1 / 2) = RtoC (1 / 2)) by
    (rewrite <- !RtoC_mult, <- RtoC_plus; f_equal; field).
  intros c; unfold c; clear c; repeat split; unfold fourier_coefficient; simpl coefficient;
    unfold expect, inner, apply, fourier_part, part, conjugate, mscal, mplus, mmul, adj, mid, ket0,
      pauli_y, pauli_z, mat2; simpl Csum; cbn [Nat.eqb]; push_conj;
    set (h := RtoC (1 / 2)) in *; try (transitivity (h * h + h * h); [|exact Hq]); ring [HI].
Qed.

(** RY(x) twice on |0>, with the fixed gates 1: cos 2x, of degree 2 = L. *)
Example fourier_form_instance (x : R) :
  output 2 (fun _ => mid) (fun _ => pauli_y) ket0 pauli_z 2 (fun _ => x) = RtoC (cos (2 * x)).
Proof.
  assert (HY : involution 2 pauli_y).
  { meq2; unfold mmul, pauli_y, mat2, mid; simpl; ring [i_square]. }
  unfold output; rewrite <- (Rmult_1_l (2 * x)), <- (proj1 (element_expectations 1 (2 * x))).
  apply expect_ext; [apply meq_refl|]; intros i Hi; cbn [state].
  rewrite apply_mid by assumption.
  rewrite (apply_ext 2 _ (rotation pauli_y x) _ (apply 2 (rotation pauli_y x) ket0)
    (meq_refl 2 _)); [|intros j Hj|assumption].
  - rewrite <- apply_mmul; apply apply_ext; [|apply veq_refl|assumption].
    replace (1 * (2 * x))%R with (x + x)%R by ring; apply rotation_product; assumption.
  - rewrite apply_mid by assumption; apply apply_ext; [apply meq_refl| |assumption].
    apply apply_mid.
Qed.

(** The degree can't be lowered: one encoding gate gives more than the constants. *)
Example degree_attained :
  ~ is_trig 0 (fun x => output 2 (fun _ => mid) (fun _ => pauli_y) ket0 pauli_z 1 (fun _ => x)).
Proof.
  intros [c Hc].
  assert (H : forall x, RtoC (cos x) = c 0%Z).
  { intros x; rewrite <- (trig_poly_0 c x), <- Hc; unfold output; cbn [state].
    transitivity (expect 2 pauli_z (apply 2 (rotation pauli_y (1 * x)) ket0));
      [symmetry; rewrite (proj1 (element_expectations 1 x)); f_equal; f_equal; ring|].
    rewrite Rmult_1_l; apply expect_ext; [apply meq_refl|]; intros i Hi.
    rewrite apply_mid by assumption; apply apply_ext; [apply meq_refl| |assumption].
    intros j Hj; symmetry; apply apply_mid; assumption. }
  assert (H' := eq_trans (H 0%R) (eq_sym (H PI))); rewrite cos_0, cos_PI in H'.
  apply RtoC_inj in H'; lra.
Qed.
