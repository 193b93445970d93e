(** * Universality of the readout ladder

    Every real trigonometric polynomial of degree [L] is a Q-RUN element with [L] re-uploads: with
    the scales 1, 2, ..., L and a linear readout; with [L] equal scales and a multilinear readout,
    and then these are the only functions; and the multilinear readout may be a matrix product with
    3 x 3 matrices. Each is the expectation value of an observable, written out, in the state of [L]
    qubits with one rotation each; nothing bounds the norm of this observable.
    If the polynomial is bounded by 1, one qubit suffices: the expectation values of Z after a
    circuit with [L] encodings between unitary gates are exactly the real trigonometric polynomials
    of degree at most [L] bounded by 1. The proof of that needs, and this file proves, the
    fundamental theorem of algebra and the theorem of Fejer and Riesz. *)

From Coq Require Import Reals ZArith Lia Lra List.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly SchwartzZippel Unisolvence.
Import ListNotations.
Local Open Scope R_scope.

(** ** Q-RUN elements and their readouts *)

(** What a readout may take from the angle of one re-upload: 1, its cosine or its sine. *)
Inductive letter := One | Cos | Sin.

Definition feature (t : letter) (alpha : R) : R :=
  match t with One => 1 | Cos => cos alpha | Sin => sin alpha end.

(** All words of [L] letters; there are [3^L]. *)
Fixpoint words (L : nat) : list (list letter) :=
  match L with
  | 0%nat => [[]]
  | S m => flat_map (fun t => map (cons t) (words m)) [One; Cos; Sin]
  end.

(** The product of the features that a word names, one for each angle. *)
Fixpoint word_value (w : list letter) (angles : list R) : R :=
  match w, angles with
  | t :: u, alpha :: rest => feature t alpha * word_value u rest
  | _, _ => 1
  end.

Definition lsum (l : list R) : R := fold_right Rplus 0 l.

(** The multilinear readout with the tensor [T]: the sum over all words of [T w] times the word's
    product of features. *)
Definition multilinear (T : list letter -> R) (angles : list R) : R :=
  lsum (map (fun w => T w * word_value w angles) (words (length angles))).

(** A linear readout. *)
Definition linear (c : R) (u v : nat -> R) (angles : list R) : R :=
  c + Rsum (length angles)
        (fun l => u l * cos (nth l angles 0) + v l * sin (nth l angles 0)).

(** A Q-RUN element: re-uploads of the phase [phi] with the given scales, and a readout. *)
Definition qrun_element (scales : list R) (readout : list R -> R) (phi : R) : R :=
  readout (map (fun s => s * phi) scales).

(** ** Sums over lists *)

Lemma lsum_app l m : lsum (l ++ m) = lsum l + lsum m.
Proof. induction l as [ | x l IH]; simpl; [ring | ]. unfold lsum in *. rewrite IH. ring. Qed.

Lemma lsum_ext {A : Type} (f g : A -> R) l :
  (forall x, In x l -> f x = g x) -> lsum (map f l) = lsum (map g l).
Proof. intros H. f_equal. now apply map_ext_in. Qed.

Lemma lsum_plus {A : Type} (f g : A -> R) l :
  lsum (map (fun x => f x + g x) l) = lsum (map f l) + lsum (map g l).
Proof. induction l as [ | x l IH]; simpl; [ring | ]. rewrite IH. unfold lsum. ring. Qed.

Lemma lsum_scal {A : Type} r (f : A -> R) l :
  lsum (map (fun x => r * f x) l) = r * lsum (map f l).
Proof. induction l as [ | x l IH]; simpl; [ring | ]. rewrite IH. unfold lsum. ring. Qed.

Lemma lsum_0 {A : Type} (l : list A) : lsum (map (fun _ => 0) l) = 0.
Proof. induction l as [ | x l IH]; simpl; [reflexivity | ]. rewrite IH. ring. Qed.

Lemma lsum_swap {A B : Type} (f : A -> B -> R) l m :
  lsum (map (fun x => lsum (map (fun y => f x y) m)) l)
  = lsum (map (fun y => lsum (map (fun x => f x y) l)) m).
Proof.
  induction l as [ | x l IH]; simpl; [now rewrite lsum_0 | ].
  rewrite IH, <- lsum_plus. reflexivity.
Qed.

Lemma words_length L w : In w (words L) -> length w = L.
Proof.
  revert w. induction L as [ | L IH]; intros w H.
  - destruct H as [<- | []]. reflexivity.
  - cbn [words] in H. apply in_flat_map in H. destruct H as (t & _ & H).
    apply in_map_iff in H. destruct H as (u & <- & H). simpl. f_equal. now apply IH.
Qed.

Lemma words_count L : length (words L) = (3 ^ L)%nat.
Proof.
  induction L as [ | L IH]; [reflexivity | ]. cbn [words flat_map].
  rewrite !app_length, !map_length, IH. simpl. lia.
Qed.

Lemma multilinear_cons T alpha angles :
  multilinear T (alpha :: angles) =
  multilinear (fun w => T (One :: w)) angles
  + cos alpha * multilinear (fun w => T (Cos :: w)) angles
  + sin alpha * multilinear (fun w => T (Sin :: w)) angles.
Proof.
  unfold multilinear. cbn [length words flat_map].
  rewrite app_nil_r, !map_app, !lsum_app, !map_map, <- !lsum_scal, Rplus_assoc.
  apply f_equal2; [ | apply f_equal2]; apply lsum_ext; intros w _; simpl; ring.
Qed.

(** ** The matrix product *)

(** Matrices and vectors are indexed from 0; only entries below the bond dimension [d] are read. A
    core is a matrix that is affine in the cosine and sine of one angle. *)
Definition matrix := nat -> nat -> R.
Definition vector := nat -> R.
Record core := Core { constant : matrix; cosine : matrix; sine : matrix }.

Definition core_at (M : core) (alpha : R) : matrix :=
  fun i j => constant M i j + cosine M i j * cos alpha + sine M i j * sin alpha.

(** A row vector times a matrix. *)
Definition row_times (d : nat) (v : vector) (M : matrix) : vector :=
  fun j => Rsum d (fun i => v i * M i j).

(** [left * M_1(alpha_1) * ... * M_L(alpha_L) * right]. *)
Fixpoint matrix_product (d : nat) (left : vector) (cores : list core) (right : vector)
    (angles : list R) : R :=
  match cores, angles with
  | M :: rest, alpha :: others =>
      matrix_product d (row_times d left (core_at M alpha)) rest right others
  | _, _ => Rsum d (fun i => left i * right i)
  end.

Lemma matrix_product_ext d cores right angles v w : (forall i, (i < d)%nat -> v i = w i) ->
  matrix_product d v cores right angles = matrix_product d w cores right angles.
Proof.
  revert v w angles. induction cores as [ | M cores IH]; intros v w angles H.
  - simpl. apply Rsum_ext. intros i Hi. now rewrite H.
  - destruct angles as [ | alpha angles]; simpl.
    + apply Rsum_ext. intros i Hi. now rewrite H.
    + apply IH. intros j _. apply Rsum_ext. intros i Hi. now rewrite H.
Qed.

Lemma matrix_product_linear d cores right angles r s t u v w :
  matrix_product d (fun i => r * u i + s * v i + t * w i) cores right angles
  = r * matrix_product d u cores right angles + s * matrix_product d v cores right angles
    + t * matrix_product d w cores right angles.
Proof.
  revert u v w angles. induction cores as [ | M cores IH]; intros u v w angles.
  - simpl. rewrite <- !Rsum_scal, <- !Rsum_plus. apply Rsum_ext. intros. ring.
  - destruct angles as [ | alpha angles]; simpl.
    + rewrite <- !Rsum_scal, <- !Rsum_plus. apply Rsum_ext. intros. ring.
    + rewrite <- IH. apply matrix_product_ext. intros j _. unfold row_times.
      rewrite <- !Rsum_scal, <- !Rsum_plus. apply Rsum_ext. intros. ring.
Qed.

(** The tensor of a matrix product: each letter of a word picks one of the core's three matrices. *)
Fixpoint tensor_of (d : nat) (left : vector) (cores : list core) (right : vector)
    (w : list letter) : R :=
  match cores, w with
  | M :: rest, t :: u =>
      tensor_of d
        (row_times d left (match t with One => constant M | Cos => cosine M | Sin => sine M end))
        rest right u
  | _, _ => Rsum d (fun i => left i * right i)
  end.

(** A matrix product of any bond dimension is a multilinear readout. *)
Theorem matrix_product_multilinear (d : nat) (left : vector) (cores : list core) (right : vector)
    (angles : list R) : length angles = length cores ->
  matrix_product d left cores right angles
  = multilinear (tensor_of d left cores right) angles.
Proof.
  revert left angles. induction cores as [ | M cores IH]; intros left angles H.
  - destruct angles; [ | discriminate]. unfold multilinear. simpl. ring.
  - destruct angles as [ | alpha angles]; [discriminate | ]. injection H as H.
    rewrite multilinear_cons. cbn [matrix_product].
    rewrite (matrix_product_ext d cores right angles _ (fun j =>
      1 * row_times d left (constant M) j + cos alpha * row_times d left (cosine M) j
      + sin alpha * row_times d left (sine M) j)).
    + rewrite matrix_product_linear, !IH by exact H. now rewrite Rmult_1_l.
    + intros j _. unfold row_times, core_at. rewrite <- !Rsum_scal, <- !Rsum_plus.
      apply Rsum_ext. intros. ring.
Qed.

(** ** Horner's scheme as a matrix product of bond 3 *)

(** The matrix [[1, 0, 0], [a, cos, -sin], [-b, sin, cos]]. It maps [(1, Re h, Im h)] to
    [(1, Re h', Im h')] with [h' = (a - i b) + e^(i alpha) h]. *)
Definition horner_core (a b : R) : core := {|
  constant := fun i j => match i, j with
    | 0%nat, 0%nat => 1 | 1%nat, 0%nat => a | 2%nat, 0%nat => - b | _, _ => 0 end;
  cosine := fun i j => match i, j with
    | 1%nat, 1%nat => 1 | 2%nat, 2%nat => 1 | _, _ => 0 end;
  sine := fun i j => match i, j with
    | 1%nat, 2%nat => -1 | 2%nat, 1%nat => 1 | _, _ => 0 end |}.

Definition vec3 (x y z : R) : vector := fun i => match i with 0%nat => x | 1%nat => y | _ => z end.

(** From the left, the rows are [(f, cos(k x), -sin(k x))] with [f] the first [k] terms. *)
Lemma horner_chain k L a b f x :
  matrix_product 3 (vec3 f (cos (INR k * x)) (- sin (INR k * x)))
    (map (fun l => horner_core (a l) (b l)) (seq k L))
    (vec3 1 (a (k + L)%nat) (- b (k + L)%nat)) (repeat x L)
  = f + Rsum (S L) (fun l => a (k + l)%nat * cos (INR (k + l) * x)
                             + b (k + l)%nat * sin (INR (k + l) * x)).
Proof.
  revert k f. induction L as [ | L IH]; intros k f.
  - simpl. rewrite Nat.add_0_r. ring.
  - cbn [seq map repeat matrix_product].
    rewrite (matrix_product_ext 3 _ _ _ _ (vec3
      (f + (a k * cos (INR k * x) + b k * sin (INR k * x)))
      (cos (INR (S k) * x)) (- sin (INR (S k) * x)))).
    + replace (k + S L)%nat with (S k + L)%nat by lia. rewrite IH, (Rsum_shift (S L)).
      rewrite Nat.add_0_r, (Rplus_assoc f). do 2 (apply f_equal2; [reflexivity | ]).
      apply Rsum_ext. intros l _.
      now replace (k + S l)%nat with (S k + l)%nat by lia.
    + rewrite S_INR, Rmult_plus_distr_r, Rmult_1_l, cos_plus, sin_plus.
      intros [ | [ | [ | i]]] Hi; [ | | | lia];
        unfold row_times, core_at, vec3; cbn [Rsum horner_core constant cosine sine]; ring.
Qed.

(** ** Universality *)

(** Scales 1, ..., L and a linear readout. *)
Theorem universality_linear (L : nat) (a b : nat -> R) (x : R) :
  qrun_element (map INR (seq 1 L)) (linear (a 0%nat) (fun l => a (S l)) (fun l => b (S l))) x
  = rtrig L a b x.
Proof.
  unfold qrun_element, linear, rtrig.
  rewrite !map_length, seq_length, Rsum_shift. simpl INR at 3 4.
  rewrite Rmult_0_l, cos_0, sin_0, Rmult_0_r, Rplus_0_r, Rmult_1_r.
  f_equal. apply Rsum_ext. intros l Hl.
  assert (E : nth l (map (fun s => s * x) (map INR (seq 1 L))) 0 = INR (S l) * x).
  { rewrite map_map. rewrite (nth_indep _ 0 (INR 0 * x)) by now rewrite map_length, seq_length.
    rewrite (map_nth (fun n => INR n * x)), seq_nth by exact Hl. reflexivity. }
  now rewrite E.
Qed.

(** [L] equal scales (of any size [s]) and a matrix product of bond 3. *)
Theorem universality_matrix_product (L : nat) (a b : nat -> R) (s x : R) :
  qrun_element (repeat s L)
    (matrix_product 3 (vec3 0 1 0) (map (fun l => horner_core (a l) (b l)) (seq 0 L))
       (vec3 1 (a L) (- b L))) x
  = rtrig L a b (s * x).
Proof.
  unfold qrun_element.
  assert (E : forall n, map (fun s => s * x) (repeat s n) = repeat (s * x) n)
    by (induction n as [ | n IH]; simpl; [reflexivity | now rewrite IH]).
  rewrite E. clear E.
  assert (H := horner_chain 0 L a b 0 (s * x)). simpl INR in H at 1 2.
  rewrite Rmult_0_l, cos_0, sin_0 in H. cbn [Nat.add] in H. rewrite Rplus_0_l in H.
  unfold rtrig. rewrite <- H. apply matrix_product_ext.
  intros [ | [ | [ | i]]] Hi; simpl; try lia; ring.
Qed.

(** [L] equal scales and a multilinear readout: exactly the real trigonometric polynomials of degree
    at most [L]. *)
Theorem universality_multilinear (L : nat) (f : R -> R) :
  is_rtrig L f <->
  exists T, forall x, f x = qrun_element (repeat 1 L) (multilinear T) x.
Proof.
  split.
  - intros (a & b & H).
    exists (tensor_of 3 (vec3 0 1 0) (map (fun l => horner_core (a l) (b l)) (seq 0 L))
              (vec3 1 (a L) (- b L))).
    intros x. rewrite H, <- (Rmult_1_l x) at 1. rewrite <- universality_matrix_product.
    unfold qrun_element. apply matrix_product_multilinear.
    now rewrite !map_length, repeat_length, seq_length.
  - intros (T & H). apply is_rtrig_ext with (1 := fun x => eq_sym (H x)). clear f H.
    revert T. induction L as [ | L IH]; intros T.
    + apply is_rtrig_ext with (fun _ => T []); [ | apply is_rtrig_const].
      intros x. unfold qrun_element, multilinear. simpl. ring.
    + assert (wave : forall g, is_rtrig 1 g ->
        forall U, is_rtrig (S L) (fun x => g x * qrun_element (repeat 1 L) (multilinear U) x)).
      { intros g Hg U. change (S L) with (1 + L)%nat. now apply is_rtrig_mult. }
      apply is_rtrig_ext with (fun x =>
        1 * qrun_element (repeat 1 L) (multilinear (fun w => T (One :: w))) x
        + cos x * qrun_element (repeat 1 L) (multilinear (fun w => T (Cos :: w))) x
        + sin x * qrun_element (repeat 1 L) (multilinear (fun w => T (Sin :: w))) x).
      * intros x. unfold qrun_element. cbn [repeat map]. rewrite multilinear_cons.
        now rewrite !Rmult_1_l.
      * apply is_rtrig_plus; [apply is_rtrig_plus | ]; apply wave.
        -- apply is_rtrig_const.
        -- apply is_rtrig_ext with (fun x => 1 * cos (INR 1 * x)); [ | apply is_rtrig_cos].
           intros x. simpl. now rewrite !Rmult_1_l.
        -- apply is_rtrig_ext with (fun x => 1 * cos (INR 1 * (x + - (PI / 2)))).
           ++ intros x. simpl. rewrite !Rmult_1_l, <- cos_shift, <- cos_neg. f_equal. ring.
           ++ apply (is_rtrig_shift 1 (fun x => 1 * cos (INR 1 * x))), is_rtrig_cos.
Qed.

(** ** Each is a circuit: an observable of [L] qubits with one rotation each *)

(** The amplitudes of [RY(alpha)|0>] are [cos(alpha / 2)] of the state 0 (here [false]) and
    [sin(alpha / 2)] of the state 1; those of a product state are products. *)
Definition amplitude (alpha : R) (i : bool) : R := if i then sin (alpha / 2) else cos (alpha / 2).

Fixpoint product_state (angles : list R) (i : list bool) : R :=
  match angles, i with
  | alpha :: rest, i0 :: i' => amplitude alpha i0 * product_state rest i'
  | _, _ => 1
  end.

(** The basis states of [n] qubits. *)
Fixpoint basis (n : nat) : list (list bool) :=
  match n with
  | 0%nat => [[]]
  | S m => flat_map (fun i0 => map (cons i0) (basis m)) [false; true]
  end.

(** The expectation value of the real matrix [O] in the product state. *)
Definition expectation (angles : list R) (O : list bool -> list bool -> R) : R :=
  lsum (map (fun i => lsum (map (fun j =>
    product_state angles i * O i j * product_state angles j) (basis (length angles))))
    (basis (length angles))).

(** The letters stand for the identity and the Pauli matrices Z and X; words for their products. *)
Definition pauli (t : letter) (i j : bool) : R :=
  match t, i, j with
  | One, false, false => 1 | One, true, true => 1
  | Cos, false, false => 1 | Cos, true, true => -1
  | Sin, false, true => 1 | Sin, true, false => 1
  | _, _, _ => 0
  end.

Fixpoint pauli_word (w : list letter) (i j : list bool) : R :=
  match w, i, j with
  | t :: u, i0 :: i', j0 :: j' => pauli t i0 j0 * pauli_word u i' j'
  | _, _, _ => 1
  end.

(** The observable of a tensor: the sum of [T w] times the Pauli word [w]. *)
Definition observable (T : list letter -> R) (L : nat) (i j : list bool) : R :=
  lsum (map (fun w => T w * pauli_word w i j) (words L)).

Lemma observable_symmetric T L i j : observable T L i j = observable T L j i.
Proof.
  unfold observable. apply lsum_ext. intros w _. f_equal.
  revert i j. induction w as [ | t w IH]; intros [ | i0 i] [ | j0 j]; try reflexivity.
  cbn [pauli_word]. rewrite IH. f_equal. now destruct t, i0, j0.
Qed.

Lemma pauli_word_expectation w angles : length w = length angles ->
  expectation angles (pauli_word w) = word_value w angles.
Proof.
  revert angles. induction w as [ | t w IH]; intros [ | alpha angles] H; try discriminate.
  - unfold expectation. simpl. ring.
  - injection H as H. specialize (IH angles H). unfold expectation in *.
    cbn [length basis flat_map word_value]. rewrite app_nil_r.
    set (B := basis (length angles)) in *.
    assert (E : forall i0 j0, lsum (map (fun i => lsum (map (fun j =>
        product_state (alpha :: angles) (i0 :: i) * pauli_word (t :: w) (i0 :: i) (j0 :: j)
        * product_state (alpha :: angles) (j0 :: j)) B)) B)
      = amplitude alpha i0 * pauli t i0 j0 * amplitude alpha j0 * word_value w angles).
    { intros i0 j0. rewrite <- IH, <- lsum_scal. apply lsum_ext. intros i _.
      rewrite <- lsum_scal. apply lsum_ext. intros j _. cbn [product_state pauli_word]. ring. }
    rewrite map_app, lsum_app, !map_map.
    rewrite (lsum_ext _ (fun i =>
      lsum (map (fun j => product_state (alpha :: angles) (false :: i)
        * pauli_word (t :: w) (false :: i) (false :: j)
        * product_state (alpha :: angles) (false :: j)) B)
      + lsum (map (fun j => product_state (alpha :: angles) (false :: i)
        * pauli_word (t :: w) (false :: i) (true :: j)
        * product_state (alpha :: angles) (true :: j)) B)) B)
      by (intros i _; now rewrite map_app, lsum_app, !map_map).
    rewrite (lsum_ext (fun i => lsum (map (fun j => product_state (alpha :: angles) (true :: i)
        * pauli_word (t :: w) (true :: i) j * product_state (alpha :: angles) j) _)) (fun i =>
      lsum (map (fun j => product_state (alpha :: angles) (true :: i)
        * pauli_word (t :: w) (true :: i) (false :: j)
        * product_state (alpha :: angles) (false :: j)) B)
      + lsum (map (fun j => product_state (alpha :: angles) (true :: i)
        * pauli_word (t :: w) (true :: i) (true :: j)
        * product_state (alpha :: angles) (true :: j)) B)) B)
      by (intros i _; now rewrite map_app, lsum_app, !map_map).
    rewrite !lsum_plus, !E.
    replace (feature t alpha) with
      (amplitude alpha false * pauli t false false * amplitude alpha false
       + amplitude alpha false * pauli t false true * amplitude alpha true
       + amplitude alpha true * pauli t true false * amplitude alpha false
       + amplitude alpha true * pauli t true true * amplitude alpha true).
    + ring.
    + replace alpha with (2 * (alpha / 2)) at 9 by field.
      assert (T := sin2_cos2 (alpha / 2)). unfold Rsqr in T.
      destruct t; cbn [feature pauli amplitude].
      * lra.
      * rewrite cos_2a. ring.
      * rewrite sin_2a. ring.
Qed.

(** Every multilinear readout is the expectation value of its observable. *)
Theorem expectation_multilinear (T : list letter -> R) (angles : list R) :
  expectation angles (observable T (length angles)) = multilinear T angles.
Proof.
  unfold multilinear. set (B := basis (length angles)).
  transitivity (lsum (map (fun w => T w * expectation angles (pauli_word w))
                          (words (length angles)))).
  2: { apply lsum_ext. intros w Hw.
       rewrite pauli_word_expectation; [reflexivity | now apply words_length]. }
  transitivity (lsum (map (fun w => lsum (map (fun i => lsum (map (fun j =>
    T w * (product_state angles i * pauli_word w i j * product_state angles j)) B)) B))
    (words (length angles)))).
  2: { apply lsum_ext. intros w _. unfold expectation. fold B. rewrite <- lsum_scal.
       apply lsum_ext. intros i _. now rewrite lsum_scal. }
  rewrite lsum_swap. unfold expectation. fold B. apply lsum_ext. intros i _.
  rewrite lsum_swap. apply lsum_ext. intros j _. unfold observable.
  rewrite Rmult_assoc, Rmult_comm, Rmult_assoc, (Rmult_comm _ (product_state angles i)).
  rewrite Rmult_comm, <- lsum_scal. apply lsum_ext. intros w _. ring.
Qed.

(** For every real trigonometric polynomial of degree at most [L] there is an observable of [L]
    qubits, a real symmetric and so Hermitian matrix, whose expectation value in the state with one
    rotation [RY(x)] on each qubit equals it for all [x]. *)
Theorem universality_circuit (L : nat) (f : R -> R) : is_rtrig L f ->
  exists O : list bool -> list bool -> R,
    (forall i j, O i j = O j i) /\ forall x, expectation (repeat x L) O = f x.
Proof.
  intros H. apply universality_multilinear in H. destruct H as (T & H).
  exists (observable T L). split; [apply observable_symmetric | ].
  intros x. rewrite H. rewrite <- (repeat_length x L) at 2. rewrite expectation_multilinear.
  unfold qrun_element. f_equal. clear H. induction L as [ | L IH]; [reflexivity | ].
  cbn [repeat map]. now rewrite IH, Rmult_1_l.
Qed.

(** ** Instances with numbers *)

(** [cos(2 x)] from two equal scales: the tensor has the entries 1 at [cos cos] and -1 at
    [sin sin]; the linear readouts of the same two features are those of degree 1 only. *)
Example cos_2x_multilinear (x : R) :
  qrun_element (repeat 1 2) (multilinear (fun w =>
    match w with [Cos; Cos] => 1 | [Sin; Sin] => -1 | _ => 0 end)) x = cos (2 * x).
Proof.
  rewrite cos_2a. unfold qrun_element, multilinear. simpl. rewrite !Rmult_1_l. ring.
Qed.

(** The chain of Horner's scheme at [pi / 2], for [1 + 2 cos x + 3 sin x + 4 cos 2x + 5 sin 2x]. *)
Example matrix_product_instance :
  qrun_element (repeat 1 2) (matrix_product 3 (vec3 0 1 0)
    [horner_core 1 0; horner_core 2 3] (vec3 1 4 (-5))) (PI / 2) = 1 + 3 - 4.
Proof.
  unfold qrun_element. simpl. unfold row_times, core_at, vec3. simpl.
  rewrite Rmult_1_l, cos_PI2, sin_PI2. ring.
Qed.

(** One qubit, the observable Z + 2 X: the expectation value is [cos x + 2 sin x]. *)
Example expectation_instance :
  expectation [PI / 2] (fun i j => match i, j with
    | [false], [false] => 1 | [true], [true] => -1 | [false], [true] => 2 | [true], [false] => 2
    | _, _ => 0 end) = 2.
Proof.
  unfold expectation. simpl. replace (PI / 2 / 2) with (PI / 4) by field.
  assert (T := sin2_cos2 (PI / 4)). unfold Rsqr in T.
  rewrite sin_PI4, <- cos_PI4 in *. lra.
Qed.

Local Open Scope C_scope.
Local Arguments Cmod _%C_scope.
Local Arguments Cpow _%C_scope _%nat_scope.

(** ** The fundamental theorem of algebra *)

Notation ceval := (horner C (RtoC 0) Cplus Cmult).
Notation cquotient := (quotient C (RtoC 0) Cplus Cmult).

Lemma ceval_quotient q a w z :
  ceval (a :: q) z = ceval (a :: q) w + (z - w) * ceval (cquotient q w) z.
Proof.
  generalize (horner_quotient C (RtoC 0) (RtoC 1) Cplus Cmult Cminus Copp C_ring_theory q a w z).
  intros E. rewrite <- E. ring.
Qed.

Lemma Cmod_triangle_rev z w : (Cmod z - Cmod w <= Cmod (z + w))%R.
Proof.
  assert (H := Cmod_triangle (z + w) (- w)). rewrite Cmod_opp in H.
  replace (z + w + - w) with z in H by ring. lra.
Qed.

Lemma ceval_lipschitz (p : list C) (r : R) : (0 <= r)%R -> exists B K : R, (0 <= B)%R /\ (0 <= K)%R
  /\ (forall z, (Cmod z <= r)%R -> (Cmod (ceval p z) <= B)%R)
  /\ (forall z w, (Cmod z <= r)%R -> (Cmod w <= r)%R ->
        (Cmod (ceval p z - ceval p w) <= K * Cmod (z - w))%R).
Proof.
  intros Hr. induction p as [ | a p (B & K & HB & HK & IH1 & IH2)].
  - exists 0%R, 0%R. split; [lra | ]. split; [lra | ]. split; simpl.
    + intros z _. rewrite Cmod_0. lra.
    + intros z w _ _. replace (RtoC 0 - RtoC 0) with (RtoC 0) by ring. rewrite Cmod_0. lra.
  - exists (Cmod a + r * B)%R, (B + r * K)%R.
    assert (Ha := Cmod_ge_0 a). assert (HrB : (0 <= r * B)%R) by now apply Rmult_le_pos.
    assert (HrK : (0 <= r * K)%R) by now apply Rmult_le_pos.
    split; [lra | ]. split; [lra | ]. split.
    + intros z Hz. simpl. eapply Rle_trans; [apply Cmod_triangle | ]. rewrite Cmod_mult.
      apply Rplus_le_compat_l. apply Rmult_le_compat; auto using Cmod_ge_0.
    + intros z w Hz Hw. simpl.
      replace (a + z * ceval p z - (a + w * ceval p w))
        with ((z - w) * ceval p z + w * (ceval p z - ceval p w)) by ring.
      eapply Rle_trans; [apply Cmod_triangle | ]. rewrite !Cmod_mult, Rmult_plus_distr_r.
      apply Rplus_le_compat.
      * rewrite Rmult_comm. apply Rmult_le_compat_r; [apply Cmod_ge_0 | now apply IH1].
      * rewrite Rmult_assoc. apply Rmult_le_compat; auto using Cmod_ge_0.
Qed.

Lemma Cmod_le_sum (x y : R) : (Cmod (x, y) <= Rabs x + Rabs y)%R.
Proof.
  replace (x, y) with (RtoC x + Ci * RtoC y)
    by (unfold Ci, Cplus, Cmult, RtoC; simpl; f_equal; ring).
  eapply Rle_trans; [apply Cmod_triangle | ]. rewrite Cmod_mult, !Cmod_R.
  replace (Cmod Ci) with 1%R; [lra | ].
  unfold Cmod, Ci. simpl. symmetry. replace (0 * (0 * 1) + 1 * (1 * 1))%R with 1%R by ring.
  apply sqrt_1.
Qed.

(** A function of one variable that is Lipschitz attains its minimum. *)
Lemma lipschitz_minimum (g : R -> R) (r K : R) : (0 < r)%R -> (0 <= K)%R ->
  (forall x y, (Rabs x <= 2 * r)%R -> (Rabs y <= 2 * r)%R ->
     (Rabs (g x - g y) <= K * Rabs (x - y))%R) ->
  exists x0, (Rabs x0 <= r)%R /\ forall x, (Rabs x <= r)%R -> (g x0 <= g x)%R.
Proof.
  intros Hr HK H.
  destruct (continuity_ab_min g (- r) r) as (x0 & Hmin & Hx0).
  - lra.
  - intros c Hc eps Heps. exists (Rmin r (eps / (K + 1)))%R. split.
    + apply Rmin_glb_lt; [lra | ]. apply Rdiv_lt_0_compat; lra.
    + intros x [_ Hx]. simpl in *. unfold R_dist in *.
      assert (B1 := Rmin_l r (eps / (K + 1))). assert (B2 := Rmin_r r (eps / (K + 1))).
      eapply Rle_lt_trans; [apply H | ].
      * apply Rabs_def2 in Hx. apply Rabs_le_between. lra.
      * apply Rabs_le_between. lra.
      * apply Rle_lt_trans with ((K + 1) * Rabs (x - c))%R.
        -- apply Rmult_le_compat_r; [apply Rabs_pos | lra].
        -- rewrite Rmult_comm. apply Rlt_div_r; lra.
  - exists x0. split; [apply Rabs_le_between; lra | ].
    intros x Hx. apply Hmin. apply Rabs_le_between in Hx. lra.
Qed.

(** The modulus of a polynomial attains its minimum on a square. *)
Lemma square_minimum (p : list C) (r : R) : (0 < r)%R -> exists z0,
  (Rabs (Re z0) <= r)%R /\ (Rabs (Im z0) <= r)%R /\
  forall z, (Rabs (Re z) <= r)%R -> (Rabs (Im z) <= r)%R ->
    (Cmod (ceval p z0) <= Cmod (ceval p z))%R.
Proof.
  intros Hr. destruct (ceval_lipschitz p (4 * r) ltac:(lra)) as (B & K & _ & HK & _ & HL).
  set (f := fun x y => Cmod (ceval p (x, y))).
  assert (Hf : forall x y x' y', (Rabs x <= 2 * r)%R -> (Rabs y <= 2 * r)%R ->
    (Rabs x' <= 2 * r)%R -> (Rabs y' <= 2 * r)%R ->
    (Rabs (f x y - f x' y') <= K * (Rabs (x - x') + Rabs (y - y')))%R).
  { intros x y x' y' H1 H2 H3 H4. unfold f.
    assert (G : (Cmod (ceval p (x, y) - ceval p (x', y'))
                 <= K * (Rabs (x - x') + Rabs (y - y')))%R).
    { eapply Rle_trans; [apply HL | ].
      - eapply Rle_trans; [apply Cmod_le_sum | lra].
      - eapply Rle_trans; [apply Cmod_le_sum | lra].
      - apply Rmult_le_compat_l; [exact HK | ].
        exact (Cmod_le_sum (x - x') (y - y')). }
    assert (T1 := Cmod_triangle (ceval p (x, y) - ceval p (x', y')) (ceval p (x', y'))).
    assert (T2 := Cmod_triangle (- (ceval p (x, y) - ceval p (x', y'))) (ceval p (x, y))).
    replace (ceval p (x, y) - ceval p (x', y') + ceval p (x', y')) with (ceval p (x, y)) in T1
      by ring.
    replace (- (ceval p (x, y) - ceval p (x', y')) + ceval p (x, y)) with (ceval p (x', y')) in T2
      by ring.
    rewrite Cmod_opp in T2. apply Rabs_le_between. lra. }
  set (m := fun x => real (Glb_Rbar (fun v => exists y, (Rabs y <= r)%R /\ v = f x y))).
  assert (Hm : forall x, (Rabs x <= 2 * r)%R -> exists y0, (Rabs y0 <= r)%R /\ m x = f x y0
    /\ forall y, (Rabs y <= r)%R -> (m x <= f x y)%R).
  { intros x Hx. destruct (lipschitz_minimum (f x) r K Hr HK) as (y0 & Hy0 & Hmin).
    - intros y y' Hy Hy'. specialize (Hf x y x y' Hx Hy Hx Hy').
      rewrite Rminus_eq_0, Rabs_R0, Rplus_0_l in Hf. exact Hf.
    - assert (E : m x = f x y0).
      { unfold m. rewrite (is_glb_Rbar_unique _ (Finite (f x y0))); [reflexivity | ]. split.
        - intros v (y & Hy & ->). simpl. now apply Hmin.
        - intros b Hb. apply Hb. now exists y0. }
      exists y0. split; [exact Hy0 | ]. split; [exact E | ].
      intros y Hy. rewrite E. now apply Hmin. }
  destruct (lipschitz_minimum m r K Hr HK) as (x0 & Hx0 & Hmin).
  - intros x x' Hx Hx'. destruct (Hm x Hx) as (y & Hy & E & Hle).
    destruct (Hm x' Hx') as (y' & Hy' & E' & Hle').
    specialize (Hle y' Hy'). specialize (Hle' y Hy).
    assert (G1 := Hf x y x' y Hx ltac:(lra) Hx' ltac:(lra)).
    assert (G2 := Hf x y' x' y' Hx ltac:(lra) Hx' ltac:(lra)).
    rewrite Rminus_eq_0, Rabs_R0, Rplus_0_r in G1, G2.
    apply Rabs_le_between in G1. apply Rabs_le_between in G2. apply Rabs_le_between. lra.
  - destruct (Hm x0 ltac:(lra)) as (y0 & Hy0 & E0 & _).
    exists (x0, y0). split; [exact Hx0 | ]. split; [exact Hy0 | ].
    intros [x y] Hx Hy. change (f x0 y0 <= f x y)%R. simpl in Hx, Hy.
    rewrite <- E0. apply Rle_trans with (m x); [apply Hmin; exact Hx | ].
    destruct (Hm x ltac:(unfold Re in Hx; simpl in Hx; lra)) as (_ & _ & _ & Hle). now apply Hle.
Qed.

(** A polynomial that is not constant is large far away. *)
Lemma ceval_large (p : list C) (a c : C) (B : R) : c <> 0 ->
  exists r : R, (0 < r)%R /\ forall z, (r <= Cmod z)%R -> (B <= Cmod (ceval (a :: p ++ [c]) z))%R.
Proof.
  intros Hc. revert a B. induction p as [ | b p IH]; intros a B.
  - assert (Hc' : (0 < Cmod c)%R) by now apply Cmod_gt_0.
    exists (Rmax 1 ((B + Cmod a) / Cmod c)). split.
    + apply Rlt_le_trans with 1%R; [lra | apply Rmax_l].
    + intros z Hz. simpl. replace (a + z * (c + z * 0)) with (z * c + a) by ring.
      eapply Rle_trans; [ | apply Cmod_triangle_rev]. rewrite Cmod_mult.
      assert (H : ((B + Cmod a) / Cmod c <= Cmod z)%R)
        by (eapply Rle_trans; [apply Rmax_r | exact Hz]).
      apply Rle_div_l in H; [lra | exact Hc'].
  - destruct (IH b 1%R) as (r & Hr & H).
    exists (Rmax r (B + Cmod a)). split; [apply Rlt_le_trans with r; [exact Hr | apply Rmax_l] | ].
    intros z Hz. assert (H1 := H z ltac:(eapply Rle_trans; [apply Rmax_l | exact Hz])).
    assert (H2 : (B + Cmod a <= Cmod z)%R) by (eapply Rle_trans; [apply Rmax_r | exact Hz]).
    change (ceval (a :: (b :: p) ++ [c]) z) with (a + z * ceval (b :: p ++ [c]) z).
    rewrite Cplus_comm. eapply Rle_trans; [ | apply Cmod_triangle_rev]. rewrite Cmod_mult.
    assert (H3 := Cmod_ge_0 z). nra.
Qed.

Lemma polar_unit v : Cmod v = 1%R -> exists t, v = cis t.
Proof.
  destruct v as [x y]. intros H. unfold Cmod in H. cbn [fst snd] in H.
  assert (E : (x ^ 2 + y ^ 2 = 1)%R).
  { rewrite <- (sqrt_sqrt (x ^ 2 + y ^ 2)), H; [ring | ].
    apply Rplus_le_le_0_compat; apply pow2_ge_0. }
  assert (Hx : (-1 <= x <= 1)%R) by nra.
  assert (Es : sin (acos x) = Rabs y).
  { rewrite sin_acos by exact Hx. replace (1 - Rsqr x)%R with (Rsqr y) by (unfold Rsqr; lra).
    apply sqrt_Rsqr_abs. }
  destruct (Rle_lt_dec 0 y) as [Hy | Hy].
  - exists (acos x). unfold cis. rewrite cos_acos, Es, Rabs_pos_eq by lra. reflexivity.
  - exists (- acos x)%R. unfold cis. rewrite cos_neg, sin_neg, cos_acos, Es, Rabs_left by lra.
    f_equal. ring.
Qed.

(** Complex numbers have roots. *)
Lemma unit_root v k : (1 <= k)%nat -> Cmod v = 1%R -> exists u, Cmod u = 1%R /\ Cpow u k = v.
Proof.
  intros Hk Hv. destruct (polar_unit v Hv) as [t ->]. exists (cis (t / INR k)).
  split; [apply Cmod_cis | ]. rewrite cis_pow. f_equal.
  assert (0 < INR k)%R by (apply lt_0_INR; lia). field. lra.
Qed.

Lemma Cpow_mult z w k : Cpow (z * w) k = Cpow z k * Cpow w k.
Proof. induction k as [ | k IH]; simpl; [ring | rewrite IH; ring]. Qed.

Lemma Cmod_pow z k : Cmod (Cpow z k) = (Cmod z ^ k)%R.
Proof. induction k as [ | k IH]; simpl; [apply Cmod_1 | now rewrite Cmod_mult, IH]. Qed.

(** What remains after all factors [z - w] are taken out does not vanish at [w]. *)
Lemma order_of_zero (q : list C) (w : C) : ~ List.Forall (eq (RtoC 0)) q ->
  exists k g, (forall z, ceval q z = Cpow (z - w) k * ceval g z) /\ ceval g w <> 0.
Proof.
  remember (length q) as n eqn:En. revert q En.
  induction n as [ | n IH]; intros q En Hq.
  - destruct q; [ | discriminate]. exfalso. apply Hq. constructor.
  - destruct (Ceq_dec (ceval q w) 0) as [E | E].
    + destruct q as [ | a q]; [discriminate | ]. injection En as En.
      destruct (IH (cquotient q w)) as (k & g & H1 & H2).
      * now rewrite quotient_length.
      * intros H. apply Hq.
        apply (quotient_zero C (RtoC 0) (RtoC 1) Cplus Cmult Cminus Copp C_ring_theory) in H.
        constructor; [ | exact H]. simpl in E.
        rewrite (horner_zero C (RtoC 0) (RtoC 1) Cplus Cmult Cminus Copp C_ring_theory q w H) in E.
        rewrite <- E. ring.
      * exists (S k), g. split; [ | exact H2]. intros z.
        rewrite (ceval_quotient q a w z), E, H1. simpl. ring.
    + exists 0%nat, q. split; [ | exact E]. intros z. simpl. ring.
Qed.

(** The fundamental theorem of algebra: a polynomial of positive degree, whose leading coefficient
    [c] is not zero, has a root. *)
Theorem root_exists (p : list C) (a c : C) : c <> 0 -> exists z, ceval (a :: p ++ [c]) z = 0.
Proof.
  intros Hc. set (P := a :: p ++ [c]).
  destruct (ceval_large p a c (Cmod (ceval P 0) + 1) Hc) as (r & Hr & Hfar). fold P in Hfar.
  destruct (square_minimum P r Hr) as (z0 & Hx0 & Hy0 & Hnear).
  assert (Hmin : forall z, (Cmod (ceval P z0) <= Cmod (ceval P z))%R).
  { intros z. destruct (Rle_lt_dec (Rabs (Re z)) r) as [H1 | H1].
    - destruct (Rle_lt_dec (Rabs (Im z)) r) as [H2 | H2]; [now apply Hnear | ].
      assert (H : (Cmod (ceval P z0) <= Cmod (ceval P 0))%R)
        by (apply Hnear; simpl; rewrite Rabs_R0; lra).
      assert (G : (Rabs (Im z) <= Cmod z)%R)
        by (eapply Rle_trans; [apply Rmax_r | apply Rmax_Cmod]).
      specialize (Hfar z ltac:(lra)). lra.
    - assert (H : (Cmod (ceval P z0) <= Cmod (ceval P 0))%R)
        by (apply Hnear; simpl; rewrite Rabs_R0; lra).
      assert (G := Re_le_Cmod z). specialize (Hfar z ltac:(lra)). lra. }
  exists z0. destruct (Ceq_dec (ceval P z0) 0) as [E | Hb]; [exact E | exfalso].
  set (b := ceval P z0) in *.
  destruct (order_of_zero (cquotient (p ++ [c]) z0) z0) as (k & g & Hg & Hg0).
  { intros H. apply (quotient_zero C (RtoC 0) (RtoC 1) Cplus Cmult Cminus Copp C_ring_theory) in H.
    apply List.Forall_app in H. destruct H as [_ H]. inversion H as [ | h t Hh]. now apply Hc. }
  assert (HP : forall z, ceval P z = b + Cpow (z - z0) (S k) * ceval g z).
  { intros z. unfold P. rewrite (ceval_quotient _ _ z0 z), Hg. fold P b. simpl. ring. }
  set (G := ceval g z0) in *.
  assert (HB : (0 < Cmod b)%R) by now apply Cmod_gt_0.
  assert (HG : (0 < Cmod G)%R) by now apply Cmod_gt_0.
  (* the direction in which the first term points against [b] *)
  destruct (unit_root (- (b / G) * RtoC (Cmod G / Cmod b)) (S k)) as (u & Hu & Huk).
  { lia. }
  { rewrite Cmod_mult, Cmod_opp, Cmod_div, Cmod_R by exact Hg0.
    rewrite Rabs_pos_eq by (apply Rlt_le, Rdiv_lt_0_compat; lra). field. lra. }
  destruct (ceval_lipschitz g (Cmod z0 + 1)) as (_ & K & _ & HK & _ & HL);
    [assert (T := Cmod_ge_0 z0); lra | ].
  set (t := Rmin 1 (Rmin (Cmod b / Cmod G) (Cmod G / (2 * (K + 1))))).
  assert (Ht1 : (t <= 1)%R) by apply Rmin_l.
  assert (Ht2 : (t <= Cmod b / Cmod G)%R) by (eapply Rle_trans; [apply Rmin_r | apply Rmin_l]).
  assert (Ht3 : (t <= Cmod G / (2 * (K + 1)))%R)
    by (eapply Rle_trans; [apply Rmin_r | apply Rmin_r]).
  assert (Ht : (0 < t)%R)
    by (unfold t; repeat apply Rmin_glb_lt; try apply Rdiv_lt_0_compat; lra).
  clearbody t.
  set (z := z0 + RtoC t * u).
  assert (Hdist : Cmod (z - z0) = t).
  { unfold z. replace (z0 + RtoC t * u - z0) with (RtoC t * u) by ring.
    rewrite Cmod_mult, Hu, Cmod_R, Rabs_pos_eq; lra. }
  set (s := (t ^ S k)%R).
  assert (Hs : (0 < s)%R) by now apply pow_lt.
  assert (Hst : (s <= t)%R).
  { unfold s. simpl. apply Rle_trans with (t * 1)%R; [ | lra]. apply Rmult_le_compat_l; [lra | ].
    rewrite <- (pow1 k). apply pow_incr. lra. }
  assert (Epow : forall n, Cpow (RtoC t) n = RtoC (t ^ n)).
  { induction n as [ | n IHn]; [reflexivity | ]. simpl. now rewrite IHn, RtoC_mult. }
  assert (E : ceval P z = b * RtoC (1 - s * Cmod G / Cmod b)
                          + Cpow (z - z0) (S k) * (ceval g z - G)).
  { rewrite HP. assert (E2 : Cpow (z - z0) (S k) * G = b * RtoC (- (s * Cmod G / Cmod b))).
    { unfold z. replace (z0 + RtoC t * u - z0) with (RtoC t * u) by ring.
      rewrite Cpow_mult, Huk, Epow. fold s.
      replace (- (s * Cmod G / Cmod b))%R with (- s * (Cmod G / Cmod b))%R by (field; lra).
      rewrite RtoC_mult, RtoC_opp. field. exact Hg0. }
    replace (1 - s * Cmod G / Cmod b)%R with (1 + - (s * Cmod G / Cmod b))%R by ring.
    rewrite RtoC_plus, Cmult_plus_distr_l, <- E2. ring. }
  assert (B1 : (Cmod (b * RtoC (1 - s * Cmod G / Cmod b)) = Cmod b - s * Cmod G)%R).
  { rewrite Cmod_mult, Cmod_R, Rabs_pos_eq; [field; lra | ].
    assert (s * Cmod G / Cmod b <= 1)%R; [ | lra].
    apply Rle_div_l; [exact HB | ]. apply Rle_div_r in Ht2; [ | exact HG]. nra. }
  assert (B2 : (Cmod (Cpow (z - z0) (S k) * (ceval g z - G)%C) <= s * (K * t))%R).
  { rewrite Cmod_mult, Cmod_pow, Hdist. fold s. apply Rmult_le_compat_l; [lra | ].
    rewrite <- Hdist. apply HL; [ | lra].
    unfold z. eapply Rle_trans; [apply Cmod_triangle | ].
    rewrite Cmod_mult, Hu, Cmod_R, Rabs_pos_eq; lra. }
  assert (B3 : (K * t < Cmod G)%R).
  { apply Rle_div_r in Ht3; [ | lra]. nra. }
  specialize (Hmin z). rewrite E in Hmin. assert (T := Cmod_triangle
    (b * RtoC (1 - s * Cmod G / Cmod b)) (Cpow (z - z0) (S k) * (ceval g z - G))).
  assert (s * (K * t) < s * Cmod G)%R by now apply Rmult_lt_compat_l. lra.
Qed.

(** ** Fejer and Riesz: a trigonometric polynomial that is never negative is a square *)

Lemma mult_conj z : z * Cconj z = RtoC (Cmod z ^ 2).
Proof.
  destruct z as [x y]. unfold Cmod. cbn [fst snd].
  replace (sqrt (x ^ 2 + y ^ 2) ^ 2)%R with (x ^ 2 + y ^ 2)%R.
  - unfold Cmult, Cconj, RtoC. simpl. f_equal; ring.
  - rewrite <- (Rsqr_pow2 (sqrt _)), Rsqr_sqrt; [reflexivity | ].
    apply Rplus_le_le_0_compat; apply pow2_ge_0.
Qed.

Lemma Cconj_pow z k : Cconj (Cpow z k) = Cpow (Cconj z) k.
Proof. induction k as [ | k IH]; simpl; [apply Cconj_R | now rewrite Cconj_mult, IH]. Qed.

Lemma Cpow_add z j k : Cpow z (j + k) = Cpow z j * Cpow z k.
Proof. induction j as [ | j IH]; simpl; [ring | rewrite IH; ring]. Qed.

Lemma ceval_nth (l : list C) n z : (length l <= n)%nat ->
  ceval l z = Csum n (fun j => nth j l 0 * Cpow z j).
Proof.
  revert l. induction n as [ | n IH]; intros l Hl.
  - destruct l; [reflexivity | simpl in Hl; lia].
  - rewrite Csum_shift. destruct l as [ | a l].
    + rewrite (Csum_ext _ _ (fun _ => 0)), Csum_0 by (intros [ | j] _; simpl; ring).
      simpl. ring.
    + simpl in Hl. cbn [horner nth Cpow]. rewrite (IH l) by lia. rewrite <- Csum_scal.
      f_equal; [ring | ]. apply Csum_ext. intros j _. ring.
Qed.

(** [z P'(z)] for the list [P] of coefficients. *)
Fixpoint euler (p : list C) (z : C) : C :=
  match p with
  | [] => 0
  | _ :: q => z * (ceval q z + euler q z)
  end.

Lemma euler_seq (g : nat -> C) s n z :
  euler (map g (seq s n)) z = Csum n (fun j => RtoC (INR j) * (g (s + j)%nat * Cpow z j)).
Proof.
  revert s. induction n as [ | n IH]; intros s; [reflexivity | ].
  rewrite Csum_shift. cbn [seq map euler]. rewrite IH, C_horner_seq, <- Csum_plus, <- Csum_scal.
  simpl (INR 0). rewrite Cmult_0_l, Cplus_0_l. apply Csum_ext. intros j _.
  replace (s + S j)%nat with (S s + j)%nat by lia. rewrite S_INR, RtoC_plus. cbn [Cpow]. ring.
Qed.

Lemma euler_quotient q z : ceval (cquotient q z) z = ceval q z + euler q z.
Proof.
  induction q as [ | b q IH]; [simpl; ring | ].
  cbn [quotient horner euler]. rewrite IH. ring.
Qed.

(** The derivative's coefficients are [i k c_k]. *)
Lemma complex_coeff_derivative a b k :
  complex_coeff (fun j => INR j * b j)%R (fun j => - (INR j * a j))%R k
  = Ci * (RtoC (IZR k) * complex_coeff a b k).
Proof.
  unfold complex_coeff. destruct (Z.eq_dec k 0) as [-> | Hk].
  - simpl. rewrite Rmult_0_l. ring.
  - destruct (Z_lt_dec 0 k); rewrite INR_IZR_INZ, Z2Nat.id by lia;
      rewrite ?opp_IZR; unfold Ci, Cmult, RtoC; simpl; f_equal; field.
Qed.

(** A double zero where the function touches zero from above. *)
Lemma touching_zero K a b x0 : (forall x, 0 <= rtrig K a b x)%R -> rtrig K a b x0 = 0%R ->
  trig_poly K (fun k => RtoC (IZR k) * complex_coeff a b k) x0 = 0.
Proof.
  intros Hpos H0.
  assert (D := is_derive_rtrig K a b x0). apply is_derive_Reals in D.
  assert (E : derive_pt (rtrig K a b) x0 (exist _ _ D) = 0%R).
  { apply deriv_minimum with (x0 - 1)%R (x0 + 1)%R; [lra | lra | ].
    intros x _ _. rewrite H0. apply Hpos. }
  simpl in E. apply (f_equal RtoC) in E. rewrite rtrig_trig_poly in E.
  rewrite (trig_poly_ext _ _ (fun k => Ci * (RtoC (IZR k) * complex_coeff a b k))) in E
    by (intros; apply complex_coeff_derivative).
  rewrite trig_poly_scal in E. apply C_domain in E. destruct E as [E | E]; [ | exact E].
  exfalso. injection E. lra.
Qed.

(** Taking out one factor [|e^(i x) - z_0|^2]. *)
Lemma factor_out K a b : (forall x, 0 <= rtrig (S K) a b x)%R ->
  complex_coeff a b (Z.of_nat (S K)) <> 0 ->
  exists z0 r, is_rtrig K r /\ (forall x, 0 <= r x)%R /\
    forall x, rtrig (S K) a b x = (Cmod (cis x - z0) ^ 2 * r x)%R.
Proof.
  intros Hpos Htop. set (c := complex_coeff a b) in *.
  set (coeff := fun j => c (Z.of_nat j - Z.of_nat (S K))%Z).
  set (P := map coeff (seq 0 (2 * S K + 1))).
  assert (HP : forall x, RtoC (rtrig (S K) a b x) = cis (- (INR (S K) * x)) * ceval P (cis x)).
  { intros x. rewrite rtrig_trig_poly. apply trig_poly_horner. }
  set (tail := map coeff (seq 1 (2 * K + 1)) ++ [coeff (2 * K + 2)%nat]).
  assert (Ep : P = coeff 0%nat :: tail).
  { unfold P, tail. replace (2 * S K + 1)%nat with (S (S (2 * K + 1))) by lia.
    rewrite seq_S, map_app. cbn [seq map app]. do 3 f_equal. apply (f_equal coeff). lia. }
  assert (Elast : coeff (2 * K + 2)%nat = c (Z.of_nat (S K))) by (unfold coeff; f_equal; lia).
  assert (Efirst : coeff 0%nat = Cconj (c (Z.of_nat (S K)))).
  { unfold coeff, c. rewrite <- complex_coeff_sym. reflexivity. }
  destruct (root_exists (map coeff (seq 1 (2 * K + 1))) (coeff 0%nat) (coeff (2 * K + 2)%nat))
    as (z0 & Hz0); [now rewrite Elast | ].
  fold tail in Hz0. rewrite <- Ep in Hz0.
  assert (Hn0 : z0 <> 0).
  { intros ->. rewrite Ep in Hz0. simpl in Hz0. apply Htop.
    rewrite <- (Cconj_conj (c (Z.of_nat (S K)))), <- Efirst.
    replace (coeff 0%nat) with (RtoC 0) by (rewrite <- Hz0; ring). apply Cconj_R. }
  assert (Hc0 : Cconj z0 <> 0).
  { intros E. apply Hn0. rewrite <- (Cconj_conj z0), E. apply Cconj_R. }
  set (P1 := cquotient tail z0).
  assert (HP1 : forall z, ceval P z = (z - z0) * ceval P1 z).
  { intros z. rewrite Ep, (ceval_quotient tail (coeff 0%nat) z0 z), <- Ep, Hz0. unfold P1. ring. }
  set (w := / Cconj z0).
  assert (Hw : w * Cconj z0 = 1) by (unfold w; field; exact Hc0).
  (* The other root. *)
  assert (Hw1 : ceval P1 w = 0).
  { destruct (Ceq_dec w z0) as [E | E].
    - assert (Hmod : Cmod z0 = 1%R).
      { rewrite E, mult_conj in Hw. apply RtoC_inj in Hw. assert (H := Cmod_ge_0 z0). nra. }
      destruct (polar_unit z0 Hmod) as (x0 & Hx0).
      assert (Hpx : rtrig (S K) a b x0 = 0%R).
      { apply RtoC_inj. rewrite HP, <- Hx0, Hz0. ring. }
      assert (T := touching_zero (S K) a b x0 Hpos Hpx). fold c in T.
      rewrite trig_poly_horner, <- Hx0, C_horner_seq in T. apply C_domain in T.
      destruct T as [T | T]; [exfalso; exact (cis_neq_0 _ T) | ].
      assert (Hz0' := Hz0). unfold P in Hz0'. rewrite C_horner_seq in Hz0'.
      assert (U : euler P z0 = 0).
      { unfold P. rewrite euler_seq. rewrite <- (Cplus_0_r (Csum _ _)), <- T at 1.
        transitivity (RtoC (INR (S K)) * Csum (2 * S K + 1) (fun j => coeff (0 + j)%nat * Cpow z0 j)
          + Csum (2 * S K + 1) (fun j => RtoC (IZR (Z.of_nat (0 + j) - Z.of_nat (S K)))
              * c (Z.of_nat (0 + j) - Z.of_nat (S K))%Z * Cpow z0 j)).
        - rewrite T, Cplus_0_r, Cplus_0_r, <- Csum_scal.
          rewrite <- (Cplus_0_r (Csum _ (fun j => RtoC (INR (S K)) * _))), <- T, <- Csum_plus.
          apply Csum_ext. intros j _. unfold coeff.
          rewrite minus_IZR, <- !INR_IZR_INZ, RtoC_minus. cbn [Nat.add]. ring.
        - rewrite Hz0', T. ring. }
      rewrite Ep in U. cbn [euler] in U. rewrite <- euler_quotient in U.
      apply C_domain in U. destruct U as [U | U]; [contradiction | ]. now rewrite E.
    - assert (H : ceval P w = 0).
      { enough (H : Cconj (ceval P w) = 0)
          by (rewrite <- (Cconj_conj (ceval P w)), H; apply Cconj_R).
        unfold P in Hz0 |- *. rewrite C_horner_seq in Hz0 |- *. rewrite Csum_conj.
        assert (Hpw : forall k, Cpow z0 k * Cpow (Cconj w) k = 1).
        { intros k. rewrite <- Cpow_mult.
          replace (z0 * Cconj w) with (RtoC 1).
          - clear. induction k as [ | k IH]; simpl; [reflexivity | rewrite IH; ring].
          - rewrite <- (Cconj_conj z0), <- Cconj_mult, (Cmult_comm (Cconj z0)), Hw.
            symmetry. apply Cconj_R. }
        assert (Hz : Cpow z0 (2 * S K) * Csum (2 * S K + 1)
          (fun j => Cconj (coeff (0 + j)%nat * Cpow w j)) = 0).
        { rewrite <- Hz0, <- Csum_scal, (Csum_rev _ (fun j => coeff (0 + j)%nat * _)).
          apply Csum_ext. intros j Hj. cbn [Nat.add]. rewrite Cconj_mult, Cconj_pow.
          replace (2 * S K + 1 - 1 - j)%nat with (2 * S K - j)%nat by lia.
          replace (Cpow z0 (2 * S K)) with (Cpow z0 (2 * S K - j) * Cpow z0 j)
            by (rewrite <- Cpow_add; f_equal; lia).
          replace (coeff (2 * S K - j)%nat) with (Cconj (coeff j)).
          - transitivity (Cpow z0 (2 * S K - j) * Cconj (coeff j)
                          * (Cpow z0 j * Cpow (Cconj w) j)); [ring | rewrite Hpw; ring].
          - unfold coeff, c. rewrite <- complex_coeff_sym. f_equal. lia. }
        apply C_domain in Hz. destruct Hz as [Hz | Hz]; [ | exact Hz].
        exfalso. assert (G := Hpw (2 * S K)%nat). rewrite Hz, Cmult_0_l in G.
        injection G. lra. }
      rewrite HP1 in H. apply C_domain in H. destruct H as [H | H]; [ | exact H].
      exfalso. apply E. replace w with (w - z0 + z0) by ring. rewrite H. ring. }
  assert (Hlen1 : length P1 = (2 * K + 2)%nat).
  { unfold P1. rewrite quotient_length. unfold tail.
    rewrite app_length, map_length, seq_length. simpl. lia. }
  destruct P1 as [ | p0 tail1] eqn:E1; [simpl in Hlen1; lia | ].
  simpl in Hlen1. set (P2 := cquotient tail1 w).
  assert (Hlen2 : length P2 = (2 * K + 1)%nat) by (unfold P2; rewrite quotient_length; lia).
  assert (HP2 : forall z, ceval P z = (z - z0) * ((z - w) * ceval P2 z)).
  { intros z. rewrite HP1, (ceval_quotient tail1 p0 w z), Hw1. unfold P2. ring. }
  set (Q := fun x => - w * (cis (- (INR K * x)) * ceval P2 (cis x))).
  assert (HQ : is_trig K Q).
  { apply is_trig_scal. apply is_trig_ext with (fun x => Csum (2 * K + 1) (fun j =>
      nth j P2 0 * cis (IZR (Z.of_nat j - Z.of_nat K) * x))).
    - intros x. rewrite (ceval_nth P2 (2 * K + 1)) by lia. rewrite <- Csum_scal.
      apply Csum_ext. intros j _. rewrite cis_pow, minus_IZR, <- !INR_IZR_INZ.
      replace ((INR j - INR K) * x)%R with (- (INR K * x) + INR j * x)%R by ring.
      rewrite cis_plus. ring.
    - apply is_trig_Csum. intros j Hj. apply is_trig_scal, is_trig_cis. lia. }
  assert (Hfac : forall x, rtrig (S K) a b x = (Cmod (cis x - z0) ^ 2 * Re (Q x))%R).
  { intros x. rewrite <- Re_scal, <- mult_conj.
    replace (rtrig (S K) a b x) with (Re (RtoC (rtrig (S K) a b x))) by reflexivity. f_equal.
    rewrite HP, HP2, Cconj_minus. unfold Q.
    assert (Hz : cis x * Cconj (cis x) = 1) by (rewrite Cconj_cis; apply cis_mult_opp).
    replace (cis (- (INR K * x))) with (cis (- (INR (S K) * x)) * cis x)
      by (rewrite <- cis_plus; f_equal; rewrite S_INR; ring).
    set (z := cis x) in *. set (v := cis (- (INR (S K) * x))). set (g := ceval P2 z).
    transitivity ((z - z0) * (v * g) * (z * (w * Cconj z0) - w * (z * Cconj z))).
    - rewrite Hw, Hz. ring.
    - ring. }
  exists z0, (fun x => Re (Q x)). split; [now apply is_rtrig_Re | ]. split; [ | exact Hfac].
  assert (Hoff : forall x, cis x <> z0 -> (0 <= Re (Q x))%R).
  { intros x Hx. specialize (Hpos x). rewrite Hfac in Hpos.
    assert (H : (0 < Cmod (cis x - z0))%R) by (apply Cmod_gt_0, Cminus_eq_contra, Hx).
    assert (H2 : (0 < Cmod (cis x - z0) ^ 2)%R) by now apply pow_lt. nra. }
  intros x. destruct (Ceq_dec (cis x) z0) as [E | E]; [ | now apply Hoff].
  destruct (Rle_lt_dec 0 (Re (Q x))) as [H | H]; [exact H | exfalso].
  destruct (is_rtrig_continuous K _ (is_rtrig_Re K Q HQ) x (- Re (Q x))%R) as (d & Hd & Hclose);
    [lra | ].
  set (e := Rmin (d / 2) 1).
  assert (He1 : (e <= d / 2)%R) by apply Rmin_l. assert (He2 : (e <= 1)%R) by apply Rmin_r.
  assert (He : (0 < e)%R) by (unfold e; apply Rmin_glb_lt; lra). clearbody e.
  assert (G := Hclose (x + e)%R). simpl in G. unfold R_dist in G.
  assert (G2 : (Rabs (Re (Q (x + e)%R) - Re (Q x)) < - Re (Q x))%R).
  { apply G. split; [split; [exact I | lra] | ].
    replace (x + e - x)%R with e by ring. rewrite Rabs_pos_eq; lra. }
  apply Rabs_def2 in G2.
  assert (N : cis (x + e) <> z0).
  { rewrite <- E. intros F. apply cis_inj in F. destruct F as (k & F).
    assert (HPI := PI2_1). assert (Hk : (k <= 0 \/ 1 <= k)%Z) by lia.
    destruct Hk as [Hk | Hk]; apply IZR_le in Hk; nra. }
  specialize (Hoff (x + e)%R N). lra.
Qed.

(** Multiplication by [z - z_0]. *)
Fixpoint times_root (z0 carry : C) (h : list C) : list C :=
  match h with
  | [] => [carry]
  | b :: r => (carry - z0 * b) :: times_root z0 b r
  end.

Lemma times_root_eval z0 carry h z :
  ceval (times_root z0 carry h) z = carry + (z - z0) * ceval h z.
Proof.
  revert carry. induction h as [ | b h IH]; intros carry; simpl; [ring | ].
  rewrite IH. ring.
Qed.

Lemma times_root_length z0 carry h : length (times_root z0 carry h) = S (length h).
Proof.
  revert carry. induction h as [ | b h IH]; intros carry; simpl; [reflexivity | now rewrite IH].
Qed.

Theorem fejer_riesz (K : nat) (p : R -> R) : is_rtrig K p -> (forall x, 0 <= p x)%R ->
  exists h : list C, (length h <= S K)%nat /\ forall x, p x = (Cmod (ceval h (cis x)) ^ 2)%R.
Proof.
  revert p. induction K as [ | K IH]; intros p (a & b & Hp) Hpos.
  - exists [RtoC (sqrt (a 0%nat))]. split; [simpl; lia | ]. intros x.
    assert (Ha := Hpos x). rewrite Hp, rtrig_0 in *. simpl ceval.
    replace (RtoC (sqrt (a 0%nat)) + cis x * 0) with (RtoC (sqrt (a 0%nat))) by ring.
    rewrite Cmod_R, Rabs_pos_eq by apply sqrt_pos. simpl. rewrite Rmult_1_r, sqrt_sqrt; auto.
  - assert (Hpos' : forall x, (0 <= rtrig (S K) a b x)%R) by (intros x; rewrite <- Hp; apply Hpos).
    destruct (Ceq_dec (complex_coeff a b (Z.of_nat (S K))) 0) as [E | E].
    + destruct (IH p) as (h & Hh & H); [ | exact Hpos | ].
      * exists a, b. intros x. rewrite Hp. apply RtoC_inj.
        rewrite !rtrig_trig_poly, trig_poly_S, complex_coeff_sym, E, Cconj_R. ring.
      * exists h. split; [lia | exact H].
    + destruct (factor_out K a b Hpos' E) as (z0 & r & Hr & Hrpos & Hfac).
      destruct (IH r Hr Hrpos) as (h & Hh & H).
      exists (times_root z0 0 h). split; [rewrite times_root_length; lia | ].
      intros x. rewrite Hp, Hfac, H, times_root_eval, Cplus_0_l, Cmod_mult. ring.
Qed.

(** ** One qubit suffices: every bounded trigonometric polynomial is a re-uploading circuit *)

(** A gate is a matrix [[alpha, -conj beta], [beta, conj alpha]] with
    [|alpha|^2 + |beta|^2 = 1], given as the pair [(alpha, beta)]: any unitary of determinant 1. *)
Definition gate : Type := (C * C)%type.
Definition unitary (W : gate) : Prop := (Cmod (fst W) ^ 2 + Cmod (snd W) ^ 2 = 1)%R.

Definition apply_gate (W : gate) (v : C * C) : C * C :=
  (fst W * fst v - Cconj (snd W) * snd v, snd W * fst v + Cconj (fst W) * snd v).

(** The encoding gate [RZ(x) = diag(e^(-i x / 2), e^(i x / 2))]. *)
Definition encode (x : R) (v : C * C) : C * C :=
  (cis (- (x / 2)) * fst v, cis (x / 2) * snd v).

(** The state [W_0 RZ(x) W_1 RZ(x) ... RZ(x) W_L |0>], with [W_1, ..., W_L] in a list. *)
Fixpoint reupload (W : gate) (Ws : list gate) (x : R) : C * C :=
  match Ws with
  | [] => apply_gate W (RtoC 1, RtoC 0)
  | V :: rest => apply_gate W (encode x (reupload V rest x))
  end.

(** The expectation value of Pauli Z. *)
Definition expectation_Z (v : C * C) : R := (Cmod (fst v) ^ 2 - Cmod (snd v) ^ 2)%R.

(** [f 0 + f 1 z + ... + f n z^n]. *)
Definition power_sum (n : nat) (f : nat -> C) (z : C) : C :=
  Csum (S n) (fun j => f j * Cpow z j).

(** *** What holds on the circle holds at the origin *)

Definition is_poly (f : C -> C) : Prop := exists l, forall z, f z = ceval l z.

Lemma is_poly_plus f g : is_poly f -> is_poly g -> is_poly (fun z => f z + g z).
Proof.
  intros (l & Hl) (m & Hm). set (n := (length l + length m)%nat).
  exists (map (fun j => nth j l 0 + nth j m 0) (seq 0 n)). intros z.
  rewrite C_horner_seq, Hl, Hm, (ceval_nth l n), (ceval_nth m n) by (unfold n; lia).
  rewrite <- Csum_plus. apply Csum_ext. intros j _. cbn [Nat.add]. ring.
Qed.

Lemma is_poly_scal c f : is_poly f -> is_poly (fun z => c * f z).
Proof.
  intros (l & Hl). exists (map (fun a => c * a) l). intros z. rewrite Hl. clear Hl.
  induction l as [ | a l IH]; simpl; [ring | ]. rewrite <- IH. ring.
Qed.

Lemma is_poly_times_z f : is_poly f -> is_poly (fun z => z * f z).
Proof. intros (l & Hl). exists (RtoC 0 :: l). intros z. simpl. rewrite Hl. ring. Qed.

Lemma is_poly_ext f g : (forall z, f z = g z) -> is_poly f -> is_poly g.
Proof. intros E (l & Hl). exists l. intros z. now rewrite <- E. Qed.

Lemma is_poly_mult f g : is_poly f -> is_poly g -> is_poly (fun z => f z * g z).
Proof.
  intros (l & Hl) Hg. apply is_poly_ext with (fun z => ceval l z * g z).
  { intros z. now rewrite Hl. }
  clear f Hl. induction l as [ | a l IH].
  - exists []. intros z. simpl. ring.
  - apply is_poly_ext with (fun z => a * g z + z * (ceval l z * g z)); [intros; simpl; ring | ].
    apply is_poly_plus; [now apply is_poly_scal | now apply is_poly_times_z].
Qed.

Lemma is_poly_power_sum n f : is_poly (power_sum n f).
Proof.
  exists (map f (seq 0 (S n))). intros z. rewrite C_horner_seq. reflexivity.
Qed.

Lemma is_poly_pow n : is_poly (fun z => Cpow z n).
Proof.
  induction n as [ | n IH]; [ | now apply is_poly_times_z].
  exists [RtoC 1]. intros z. simpl. ring.
Qed.

Lemma zero_on_circle f : is_poly f -> (forall x, f (cis x) = 0) -> f 0 = 0.
Proof.
  intros (l & Hl) Hz. set (K := length l).
  set (c := fun k => nth (Z.to_nat (k + Z.of_nat K)) l 0).
  assert (E : forall x, trig_poly K c x = 0).
  { intros x. rewrite trig_poly_horner, C_horner_seq.
    rewrite (Csum_ext _ _ (fun j => nth j l 0 * Cpow (cis x) j)).
    - rewrite <- (ceval_nth l (2 * K + 1)), <- Hl, Hz by (unfold K; lia). ring.
    - intros j _. unfold c. cbn [Nat.add].
      now replace (Z.to_nat (Z.of_nat j - Z.of_nat K + Z.of_nat K)) with j by lia. }
  assert (G := coefficients_unique K c (fun _ => 0) 0).
  assert (G0 : c (- Z.of_nat K)%Z = 0).
  { apply G; [ | lia]. intros j _. rewrite E. symmetry. unfold trig_poly.
    rewrite (Csum_ext _ _ (fun _ => 0)); [apply Csum_0 | intros; ring]. }
  unfold c in G0. replace (Z.to_nat (- Z.of_nat K + Z.of_nat K)) with 0%nat in G0 by lia.
  rewrite Hl. destruct l as [ | a l]; simpl in *; [reflexivity | ]. rewrite G0. ring.
Qed.

Lemma power_sum_0 n f : power_sum n f 0 = f 0%nat.
Proof.
  unfold power_sum. rewrite Csum_shift. cbn [Cpow].
  rewrite (Csum_ext _ _ (fun _ => 0)); [rewrite Csum_0; ring | intros; simpl; ring].
Qed.

(** Where the two polynomials have modulus 1 together, their outer coefficients are orthogonal. *)
Lemma outer_orthogonal n f g : (1 <= n)%nat ->
  (forall x, (Cmod (power_sum n f (cis x)) ^ 2 + Cmod (power_sum n g (cis x)) ^ 2 = 1)%R) ->
  f 0%nat * Cconj (f n) + g 0%nat * Cconj (g n) = 0.
Proof.
  intros Hn H.
  set (rev := fun (f : nat -> C) j => Cconj (f (n - j)%nat)).
  assert (Hrev : forall f x,
    power_sum n (rev f) (cis x) = Cpow (cis x) n * Cconj (power_sum n f (cis x))).
  { intros h x. unfold power_sum. rewrite Csum_conj, <- Csum_scal, Csum_rev.
    apply Csum_ext. intros j Hj. unfold rev.
    replace (n - (S n - 1 - j))%nat with j by lia.
    replace (S n - 1 - j)%nat with (n - j)%nat by lia.
    replace (Cpow (cis x) n) with (Cpow (cis x) (n - j) * Cpow (cis x) j)
      by (rewrite <- Cpow_add; f_equal; lia).
    rewrite Cconj_mult, Cconj_pow, Cconj_cis.
    assert (E : Cpow (cis x) j * Cpow (cis (- x)) j = 1).
    { rewrite <- Cpow_mult, cis_mult_opp. clear. induction j as [ | j IH]; simpl; [reflexivity | ].
      rewrite IH. ring. }
    transitivity (Cconj (h j) * Cpow (cis x) (n - j) * (Cpow (cis x) j * Cpow (cis (- x)) j));
      [rewrite E; ring | ring]. }
  set (d := fun z => power_sum n f z * power_sum n (rev f) z
                     + (power_sum n g z * power_sum n (rev g) z + - (1) * Cpow z n)).
  assert (Hd : is_poly d).
  { unfold d. apply is_poly_plus; [apply is_poly_mult; apply is_poly_power_sum | ].
    apply is_poly_plus; [apply is_poly_mult; apply is_poly_power_sum | ].
    apply is_poly_scal, is_poly_pow. }
  assert (Hz : forall x, d (cis x) = 0).
  { intros x. unfold d. rewrite !Hrev.
    transitivity (Cpow (cis x) n * (power_sum n f (cis x) * Cconj (power_sum n f (cis x))
      + power_sum n g (cis x) * Cconj (power_sum n g (cis x)) - 1)); [ring | ].
    rewrite !mult_conj, <- RtoC_plus, H. ring. }
  assert (E := zero_on_circle d Hd Hz). unfold d in E. rewrite !power_sum_0 in E. unfold rev in E.
  replace (n - 0)%nat with n in E by lia.
  replace (Cpow 0 n) with (RtoC 0) in E by (destruct n; [lia | simpl; ring]).
  rewrite <- E. ring.
Qed.

(** A gate whose inverse maps the lowest coefficients to the first state, the highest to the
    second. *)
Lemma peeling_gate f0 g0 fn gn : f0 * Cconj fn + g0 * Cconj gn = 0 ->
  exists W, unitary W /\ - snd W * f0 + fst W * g0 = 0
            /\ Cconj (fst W) * fn + Cconj (snd W) * gn = 0.
Proof.
  intros H.
  assert (normed : forall u v : C, (u <> 0 \/ v <> 0) ->
    exists r : R, r <> 0%R /\ unitary (u / RtoC r, v / RtoC r)).
  { intros u v Huv. set (r := sqrt (Cmod u ^ 2 + Cmod v ^ 2)).
    assert (Hs : (0 < Cmod u ^ 2 + Cmod v ^ 2)%R).
    { assert (A := pow2_ge_0 (Cmod u)). assert (B := pow2_ge_0 (Cmod v)).
      destruct Huv as [Hu | Hv].
      - apply Cmod_gt_0 in Hu. assert (0 < Cmod u ^ 2)%R by now apply pow_lt. lra.
      - apply Cmod_gt_0 in Hv. assert (0 < Cmod v ^ 2)%R by now apply pow_lt. lra. }
    assert (Hr : (0 < r)%R) by now apply sqrt_lt_R0.
    assert (Hr2 : (r ^ 2 = Cmod u ^ 2 + Cmod v ^ 2)%R).
    { unfold r. rewrite <- (Rsqr_pow2 (sqrt _)), Rsqr_sqrt; lra. }
    exists r. split; [lra | ]. unfold unitary. cbn [fst snd].
    assert (Hrc : RtoC r <> 0) by (intros E; apply RtoC_inj in E; lra).
    rewrite !Cmod_div, !Cmod_R, !Rabs_pos_eq by (auto; lra).
    replace ((Cmod u / r) ^ 2 + (Cmod v / r) ^ 2)%R
      with ((Cmod u ^ 2 + Cmod v ^ 2) / r ^ 2)%R by (field; lra).
    rewrite <- Hr2. field. lra. }
  assert (Hconj : forall u r, r <> 0%R -> Cconj (u / RtoC r) = Cconj u / RtoC r).
  { intros u r Hr. assert (Hrc : RtoC r <> 0) by (intros E; apply RtoC_inj in E; lra).
    unfold Cdiv. rewrite Cconj_mult. f_equal. rewrite <- RtoC_inv by exact Hr. apply Cconj_R. }
  destruct (Ceq_dec f0 0) as [Ef | Ef]; [destruct (Ceq_dec g0 0) as [Eg | Eg] | ].
  - destruct (Ceq_dec fn 0) as [Fn | Fn]; [destruct (Ceq_dec gn 0) as [Gn | Gn] | ].
    + exists (RtoC 1, RtoC 0). unfold unitary. cbn [fst snd].
      rewrite Cmod_1, Cmod_0, Ef, Eg, Fn, Gn. split; [ring | split; ring].
    + destruct (normed (Cconj gn) (- Cconj fn)) as (r & Hr & Hu).
      { left. intros E. apply Gn. rewrite <- (Cconj_conj gn), E. apply Cconj_R. }
      exists (Cconj gn / RtoC r, - Cconj fn / RtoC r). split; [exact Hu | ]. cbn [fst snd].
      rewrite !Hconj, Cconj_opp, !Cconj_conj, Ef, Eg by exact Hr.
      split; [ring | field; intros E; apply RtoC_inj in E; lra].
    + destruct (normed (Cconj gn) (- Cconj fn)) as (r & Hr & Hu).
      { right. intros E. apply Fn. rewrite <- (Cconj_conj fn).
        replace (Cconj fn) with (- - Cconj fn) by ring. rewrite E, <- RtoC_opp, Ropp_0.
        apply Cconj_R. }
      exists (Cconj gn / RtoC r, - Cconj fn / RtoC r). split; [exact Hu | ]. cbn [fst snd].
      rewrite !Hconj, Cconj_opp, !Cconj_conj, Ef, Eg by exact Hr.
      split; [ring | field; intros E; apply RtoC_inj in E; lra].
  - destruct (normed f0 g0) as (r & Hr & Hu); [now right | ].
    exists (f0 / RtoC r, g0 / RtoC r). split; [exact Hu | ]. cbn [fst snd].
    rewrite !Hconj by exact Hr.
    assert (Hrc : RtoC r <> 0) by (intros E; apply RtoC_inj in E; lra).
    apply (f_equal Cconj) in H. rewrite Cconj_plus, !Cconj_mult, !Cconj_conj, Cconj_R in H.
    split; [field; exact Hrc | ].
    transitivity ((Cconj f0 * fn + Cconj g0 * gn) / RtoC r); [field; exact Hrc | ].
    rewrite H. field. exact Hrc.
  - destruct (normed f0 g0) as (r & Hr & Hu); [now left | ].
    exists (f0 / RtoC r, g0 / RtoC r). split; [exact Hu | ]. cbn [fst snd].
    rewrite !Hconj by exact Hr.
    assert (Hrc : RtoC r <> 0) by (intros E; apply RtoC_inj in E; lra).
    apply (f_equal Cconj) in H. rewrite Cconj_plus, !Cconj_mult, !Cconj_conj, Cconj_R in H.
    split; [field; exact Hrc | ].
    transitivity ((Cconj f0 * fn + Cconj g0 * gn) / RtoC r); [field; exact Hrc | ].
    rewrite H. field. exact Hrc.
Qed.

(** Layer by layer: two polynomials of degree [n] with modulus 1 together are a circuit with [n]
    encodings. *)
Theorem circuit_of_polynomials (n : nat) (f g : nat -> C) :
  (forall x, (Cmod (power_sum n f (cis x)) ^ 2 + Cmod (power_sum n g (cis x)) ^ 2 = 1)%R) ->
  exists W Ws, unitary W /\ List.Forall unitary Ws /\ length Ws = n /\
    forall x, reupload W Ws x = (cis (- (INR n * (x / 2))) * power_sum n f (cis x),
                                 cis (- (INR n * (x / 2))) * power_sum n g (cis x)).
Proof.
  revert f g. induction n as [ | n IH]; intros f g H.
  - exists (f 0%nat, g 0%nat), []. unfold power_sum in *. simpl in *.
    split; [ | split; [constructor | split; [reflexivity | ]]].
    + specialize (H 0%R). unfold unitary. cbn [fst snd].
      replace (RtoC 0 + f 0%nat * 1) with (f 0%nat) in H by ring.
      replace (RtoC 0 + g 0%nat * 1) with (g 0%nat) in H by ring. exact H.
    + intros x. unfold apply_gate. cbn [fst snd]. rewrite Rmult_0_l, Ropp_0, cis_0. f_equal; ring.
  - destruct (peeling_gate (f 0%nat) (g 0%nat) (f (S n)) (g (S n))) as (W & HW & Hlow & Hhigh).
    { apply outer_orthogonal; [lia | exact H]. }
    set (al := fst W) in *. set (be := snd W) in *.
    assert (HWc : al * Cconj al + be * Cconj be = 1).
    { rewrite !mult_conj, <- RtoC_plus. f_equal. exact HW. }
    set (f' := fun j => Cconj al * f j + Cconj be * g j).
    set (g' := fun j => - be * f (S j) + al * g (S j)).
    assert (EF : forall z, power_sum n f' z
      = Cconj al * power_sum (S n) f z + Cconj be * power_sum (S n) g z).
    { intros z. unfold power_sum. rewrite <- !Csum_scal, <- Csum_plus.
      replace (Csum (S (S n)) (fun j => Cconj al * (f j * Cpow z j) + Cconj be * (g j * Cpow z j)))
        with (Csum (S n) (fun j => Cconj al * (f j * Cpow z j) + Cconj be * (g j * Cpow z j))
              + (Cconj al * f (S n) + Cconj be * g (S n)) * Cpow z (S n)).
      - rewrite Hhigh, Cmult_0_l, Cplus_0_r. apply Csum_ext. intros j _. unfold f'. ring.
      - cbn [Csum]. ring. }
    assert (EG : forall z, z * power_sum n g' z
      = - be * power_sum (S n) f z + al * power_sum (S n) g z).
    { intros z. unfold power_sum. rewrite <- !Csum_scal, <- Csum_plus, (Csum_shift (S n)).
      cbn [Cpow]. replace (- be * (f 0%nat * 1) + al * (g 0%nat * 1)) with (RtoC 0)
        by (rewrite <- Hlow; ring).
      rewrite Cplus_0_l. apply Csum_ext. intros j _. unfold g'. ring. }
    destruct (IH f' g') as (V & Vs & HV & HVs & Hlen & E).
    { intros x. specialize (H x). apply RtoC_inj. apply (f_equal RtoC) in H.
      rewrite RtoC_plus, <- !mult_conj in *. rewrite <- H. clear H.
      assert (Hz : cis x * Cconj (cis x) = 1) by (rewrite Cconj_cis; apply cis_mult_opp).
      specialize (EF (cis x)). specialize (EG (cis x)).
      set (z := cis x) in *. set (F := power_sum (S n) f z) in *.
      set (G := power_sum (S n) g z) in *. set (G' := power_sum n g' z) in *.
      rewrite EF.
      replace (G' * Cconj G') with ((z * G') * Cconj (z * G')).
      + rewrite EG, !Cconj_plus, !Cconj_mult, Cconj_opp, !Cconj_conj.
        transitivity ((al * Cconj al + be * Cconj be) * (F * Cconj F + G * Cconj G)); [ring | ].
        rewrite HWc. ring.
      + rewrite Cconj_mult. transitivity ((z * Cconj z) * (G' * Cconj G')); [ring | ].
        rewrite Hz. ring. }
    exists W, (V :: Vs). split; [exact HW | ]. split; [now constructor | ].
    split; [simpl; now rewrite Hlen | ].
    intros x. cbn [reupload]. rewrite E. unfold apply_gate, encode. cbn [fst snd]. fold al be.
    assert (E1 : cis (- (x / 2)) * (cis (- (INR n * (x / 2))) * power_sum n f' (cis x))
      = cis (- (INR (S n) * (x / 2))) * power_sum n f' (cis x)).
    { rewrite Cmult_assoc, <- cis_plus. do 2 f_equal. rewrite S_INR. ring. }
    assert (E2 : cis (x / 2) * (cis (- (INR n * (x / 2))) * power_sum n g' (cis x))
      = cis (- (INR (S n) * (x / 2))) * (cis x * power_sum n g' (cis x))).
    { rewrite !Cmult_assoc, <- !cis_plus. do 2 f_equal. rewrite S_INR. field. }
    rewrite E1, E2, EF, EG. set (v := cis (- (INR (S n) * (x / 2)))).
    set (F := power_sum (S n) f (cis x)). set (G := power_sum (S n) g (cis x)).
    f_equal.
    + transitivity (v * ((al * Cconj al + be * Cconj be) * F)); [ring | rewrite HWc; ring].
    + transitivity (v * ((al * Cconj al + be * Cconj be) * G)); [ring | rewrite HWc; ring].
Qed.

(** Gates and encodings keep the norm. *)
Lemma reupload_norm W Ws x : unitary W -> List.Forall unitary Ws ->
  (Cmod (fst (reupload W Ws x)) ^ 2 + Cmod (snd (reupload W Ws x)) ^ 2 = 1)%R.
Proof.
  assert (gate_norm : forall W v, unitary W ->
    (Cmod (fst (apply_gate W v)) ^ 2 + Cmod (snd (apply_gate W v)) ^ 2
     = Cmod (fst v) ^ 2 + Cmod (snd v) ^ 2)%R).
  { intros V [u v] HV. apply RtoC_inj. rewrite !RtoC_plus, <- !mult_conj. unfold apply_gate.
    cbn [fst snd]. rewrite Cconj_minus, Cconj_plus, !Cconj_mult, !Cconj_conj.
    assert (E : fst V * Cconj (fst V) + snd V * Cconj (snd V) = 1)
      by (rewrite !mult_conj, <- RtoC_plus; f_equal; exact HV).
    transitivity ((fst V * Cconj (fst V) + snd V * Cconj (snd V))
                  * (u * Cconj u + v * Cconj v)); [ring | rewrite E; ring]. }
  intros HW HWs. revert W HW. induction HWs as [ | V Vs HV HVs IH]; intros W HW; cbn [reupload];
    rewrite gate_norm by exact HW.
  - cbn [fst snd]. rewrite Cmod_1, Cmod_0. ring.
  - unfold encode. cbn [fst snd]. rewrite !Cmod_mult, !Cmod_cis, !Rmult_1_l. now apply IH.
Qed.

(** [e^(-i n x / 2)] times a polynomial of degree [n] in [e^(i x)]. *)
Definition half_integer (n : nat) (u : R -> C) : Prop :=
  exists f, forall x, u x = cis (- (INR n * (x / 2))) * power_sum n f (cis x).

Lemma half_integer_combine n a b u v : half_integer n u -> half_integer n v ->
  half_integer n (fun x => a * u x + b * v x).
Proof.
  intros (f & Hf) (g & Hg). exists (fun j => a * f j + b * g j). intros x. rewrite Hf, Hg.
  unfold power_sum. rewrite (Csum_ext (S n) (fun j => (a * f j + b * g j) * Cpow (cis x) j)
    (fun j => a * (f j * Cpow (cis x) j) + b * (g j * Cpow (cis x) j))) by (intros; ring).
  rewrite Csum_plus, !Csum_scal. ring.
Qed.

Lemma half_integer_down n u :
  half_integer n u -> half_integer (S n) (fun x => cis (- (x / 2)) * u x).
Proof.
  intros (f & Hf). exists (fun j => if le_dec j n then f j else RtoC 0). intros x. rewrite Hf.
  rewrite Cmult_assoc, <- cis_plus.
  replace (- (x / 2) + - (INR n * (x / 2)))%R with (- (INR (S n) * (x / 2)))%R
    by (rewrite S_INR; ring).
  f_equal. unfold power_sum.
  replace (Csum (S (S n)) _) with (Csum (S n) (fun j => (if le_dec j n then f j else 0)
    * Cpow (cis x) j) + (if le_dec (S n) n then f (S n) else 0) * Cpow (cis x) (S n))
    by reflexivity.
  destruct (le_dec (S n) n); [lia | ]. rewrite Cmult_0_l, Cplus_0_r. apply Csum_ext.
  intros j Hj. destruct (le_dec j n); [reflexivity | lia].
Qed.

Lemma half_integer_up n u :
  half_integer n u -> half_integer (S n) (fun x => cis (x / 2) * u x).
Proof.
  intros (f & Hf). exists (fun j => match j with 0%nat => RtoC 0 | S i => f i end). intros x.
  rewrite Hf. unfold power_sum. rewrite (Csum_shift (S n)), Cmult_0_l, Cplus_0_l.
  rewrite (Csum_ext (S n) (fun j => f j * Cpow (cis x) (S j))
    (fun j => cis x * (f j * Cpow (cis x) j))) by (intros; cbn [Cpow]; ring).
  rewrite Csum_scal, !Cmult_assoc, <- !cis_plus. do 2 f_equal. rewrite S_INR. field.
Qed.

Lemma reupload_half_integer W Ws :
  half_integer (length Ws) (fun x => fst (reupload W Ws x)) /\
  half_integer (length Ws) (fun x => snd (reupload W Ws x)).
Proof.
  revert W. induction Ws as [ | V Ws IH]; intros W.
  - split; [exists (fun _ => fst W) | exists (fun _ => snd W)]; intros x; unfold power_sum;
      simpl; rewrite Rmult_0_l, Ropp_0, cis_0; ring.
  - destruct (IH V) as [Hu Hv]. apply half_integer_down in Hu. apply half_integer_up in Hv.
    cbn [length reupload]. unfold apply_gate, encode. cbn [fst snd].
    split.
    + destruct (half_integer_combine _ (fst W) (- Cconj (snd W)) _ _ Hu Hv) as (f & Hf).
      exists f. intros x. rewrite <- Hf. ring.
    + exact (half_integer_combine _ (snd W) (Cconj (fst W)) _ _ Hu Hv).
Qed.

Lemma half_integer_square n u : half_integer n u -> is_rtrig n (fun x => Cmod (u x) ^ 2)%R.
Proof.
  intros (f & Hf). apply is_rtrig_is_trig. apply is_trig_ext with (fun x =>
    Csum (S n) (fun j => Csum (S n) (fun l => f j * Cconj (f l)
      * cis (IZR (Z.of_nat j - Z.of_nat l) * x)))).
  - intros x. rewrite Hf, Cmod_mult, Cmod_cis, Rmult_1_l, <- mult_conj. unfold power_sum.
    rewrite Csum_conj, <- Csum_scal_r. apply Csum_ext. intros j _. rewrite <- Csum_scal.
    apply Csum_ext. intros l _. rewrite Cconj_mult, Cconj_pow, Cconj_cis, !cis_pow, minus_IZR.
    rewrite <- !INR_IZR_INZ.
    replace ((INR j - INR l) * x)%R with (INR j * x + INR l * - x)%R by ring.
    rewrite cis_plus. ring.
  - apply is_trig_Csum. intros j Hj. apply is_trig_Csum. intros l Hl.
    apply is_trig_scal, is_trig_cis. lia.
Qed.

(** The functions that a single-qubit circuit with [L] encodings of [x] has as expectation values
    of Z are exactly the real trigonometric polynomials of degree at most [L] that are bounded
    by 1. *)
Theorem single_qubit_universality (L : nat) (p : R -> R) :
  (is_rtrig L p /\ (forall x, Rabs (p x) <= 1)%R) <->
  exists W Ws, unitary W /\ List.Forall unitary Ws /\ length Ws = L /\
    forall x, expectation_Z (reupload W Ws x) = p x.
Proof.
  split.
  - intros [Hp Hb].
    assert (Hhalf : forall s, is_rtrig L (fun x => / 2 * (1 + s * p x))%R).
    { intros s. apply (is_rtrig_scal L (/ 2) (fun x => 1 + s * p x)%R).
      apply (is_rtrig_plus L (fun _ => 1%R) (fun x => s * p x)%R);
        [apply is_rtrig_const | now apply is_rtrig_scal]. }
    destruct (fejer_riesz L _ (Hhalf 1%R)) as (h & Hh & Eh).
    { intros x. specialize (Hb x). apply Rabs_le_between in Hb. lra. }
    destruct (fejer_riesz L _ (Hhalf (-1)%R)) as (k & Hk & Ek).
    { intros x. specialize (Hb x). apply Rabs_le_between in Hb. lra. }
    set (f := fun j => nth j h 0). set (g := fun j => nth j k 0).
    assert (Ef : forall z, power_sum L f z = ceval h z)
      by (intros z; symmetry; apply ceval_nth; exact Hh).
    assert (Eg : forall z, power_sum L g z = ceval k z)
      by (intros z; symmetry; apply ceval_nth; exact Hk).
    destruct (circuit_of_polynomials L f g) as (W & Ws & HW & HWs & Hlen & E).
    { intros x. rewrite Ef, Eg, <- Eh, <- Ek. field. }
    exists W, Ws. split; [exact HW | ]. split; [exact HWs | ]. split; [exact Hlen | ].
    intros x. unfold expectation_Z. rewrite E. cbn [fst snd].
    rewrite !Cmod_mult, Cmod_cis, Ef, Eg, !Rmult_1_l, <- Eh, <- Ek. field.
  - intros (W & Ws & HW & HWs & Hlen & E). split.
    { apply is_rtrig_ext with (1 := E). subst L. destruct (reupload_half_integer W Ws) as [Hu Hv].
      unfold expectation_Z. exact (is_rtrig_minus _ _ _ (half_integer_square _ _ Hu)
                                     (half_integer_square _ _ Hv)). }
    intros x. rewrite <- E. unfold expectation_Z.
    assert (H := reupload_norm W Ws x HW HWs).
    assert (A := pow2_ge_0 (Cmod (fst (reupload W Ws x)))).
    assert (B := pow2_ge_0 (Cmod (snd (reupload W Ws x)))).
    apply Rabs_le_between. lra.
Qed.

(** One encoding between two gates that turn the first state into an equal superposition and back:
    the expectation value is [cos x]. *)
Example reupload_cos x :
  let W : gate := (RtoC (/ sqrt 2), RtoC (/ sqrt 2)) in
  let V : gate := (RtoC (/ sqrt 2), RtoC (- / sqrt 2)) in
  unitary W /\ unitary V /\ expectation_Z (reupload V [W] x) = cos x.
Proof.
  assert (H0 : (0 < sqrt 2)%R) by (apply sqrt_lt_R0; lra).
  assert (H2 : (/ sqrt 2 * / sqrt 2 = / 2)%R) by (rewrite <- Rinv_mult, sqrt_sqrt; lra).
  intros W V. unfold unitary, V, W. cbn [fst snd]. rewrite !Cmod_R, <- !Rsqr_pow2, <- !Rsqr_abs.
  unfold Rsqr. split; [lra | split; [lra | ]].
  set (s := (/ sqrt 2)%R) in *. set (c := cos (x / 2)). set (d := sin (x / 2)).
  assert (Hc : (s * s * c = / 2 * c)%R) by now rewrite H2.
  assert (Hd : (s * s * d = / 2 * d)%R) by now rewrite H2.
  assert (E : reupload (RtoC s, RtoC (- s)) [(RtoC s, RtoC s)] x = ((c, 0)%R, (0, d)%R)).
  { cbn [reupload]. unfold apply_gate, encode, cis, Cconj, Cmult, Cplus, Cminus, Copp, Cplus, RtoC.
    cbn [fst snd]. rewrite cos_neg, sin_neg. fold c d.
    apply injective_projections; apply injective_projections; cbn [fst snd]; lra. }
  change (expectation_Z (reupload (RtoC s, RtoC (- s)) [(RtoC s, RtoC s)] x) = cos x).
  rewrite E. unfold expectation_Z. cbn [fst snd].
  replace x with (2 * (x / 2))%R by field. rewrite cos_2a. fold c d.
  apply RtoC_inj. rewrite RtoC_minus, <- !mult_conj. unfold Cmult, Cconj, Cminus, Cplus, Copp, RtoC.
  cbn [fst snd]. f_equal; ring.
Qed.
